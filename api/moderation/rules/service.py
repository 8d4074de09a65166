"""Change rules and settings, and log it; dry runs, which the worker carries out in batches."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from api.auth.actor import Actor
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision
from api.kit.http.problem_responses import MAX_ERRORS, describe_error
from api.kit.problems import ValidationFailed
from api.kit.services import Services
from api.kit.text.rendering import TextTooLarge, parse_text
from api.moderation.log.service import log_change
from api.moderation.rules import queries
from api.moderation.rules.events import DryRunRequested
from api.moderation.rules.schemas import DryRunCreate
from api.screening import editing
from api.screening.candidate import Author, Candidate, Limits
from api.screening.phases import find_in_text
from api.screening.rules import Rule, Rules
from api.screening.schemas import RuleCreate, RuleImport, RuleUpdate, ScreeningSettingsUpdate
from models import DryRun, LogAction, RuleAction, RuleKind, ScreeningRule, ScreeningSettings
from models.dry_runs import MAX_DRY_RUN_MATCHES

# Comments in one transaction, after which the progress is visible.
BATCH = 200
# Rules that the log names of one import; it counts the others.
MAX_LOGGED_RULES = 200
_OF_RULE = ("kind", "value", "action", "is_enabled", "note")


async def create_rule(uow: UnitOfWork, actor: Actor, body: RuleCreate) -> ScreeningRule:
    """Add a rule. Raises ValidationFailed, RuleExists or TooManyRules."""
    rule = await editing.create_rule(uow, actor, body)
    _log(uow, actor, {"rule_id": rule.id}, {"rule_id": rule.id, **_describe(rule)})
    return rule


async def update_rule(
    uow: UnitOfWork, actor: Actor, rule_id: UUID, body: RuleUpdate, expected: ExpectedRevision
) -> ScreeningRule:
    """Change a rule. Raises RuleNotFound, PreconditionFailed, ValidationFailed or RuleExists."""
    rule, before = await editing.update_rule(uow, rule_id, body, expected)
    if before:
        after = _describe(rule)
        _log(uow, actor, {"rule_id": rule.id, **after, **before}, {"rule_id": rule.id, **after})
    return rule


async def delete_rule(
    uow: UnitOfWork, actor: Actor, rule_id: UUID, expected: ExpectedRevision
) -> None:
    """Delete a rule. Raises RuleNotFound or PreconditionFailed."""
    rule = await editing.delete_rule(uow, rule_id, expected)
    _log(uow, actor, {"rule_id": rule.id, **_describe(rule)}, {"rule_id": rule.id})


async def import_rules(
    uow: UnitOfWork, actor: Actor, rules: Sequence[tuple[int, RuleCreate]]
) -> RuleImport:
    """Add and change rules, all or none. Raises ValidationFailed or TooManyRules."""
    done, changed = await editing.import_rules(uow, actor, rules)
    if changed:
        logged = changed[:MAX_LOGGED_RULES]
        before = [{"rule_id": rule.id, **before} for rule, before in logged]
        after = [{"rule_id": rule.id, **_describe(rule)} for rule, _ in logged]
        counts = {"added": done.added, "changed": done.changed}
        _log(uow, actor, {"rules": before}, {**counts, "rules": after})
    return done


async def update_settings(
    uow: UnitOfWork, actor: Actor, body: ScreeningSettingsUpdate, expected: ExpectedRevision
) -> ScreeningSettings:
    """Change the settings that were sent. Raises PreconditionFailed."""
    settings, before = await editing.update_settings(uow, body, expected)
    if before:
        after = {name: getattr(settings, name) for name in before}
        log_change(uow, actor.id, LogAction.CHANGE_SETTINGS, before, after)
    return settings


def _describe(rule: ScreeningRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in _OF_RULE}


def _log(uow: UnitOfWork, actor: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    log_change(uow, actor.id, LogAction.CHANGE_RULES, before, after)


async def create_dry_run(uow: UnitOfWork, actor: Actor, body: DryRunCreate) -> DryRun:
    """Ask for a dry run. Raises ValidationFailed or RuleNotFound."""
    rules, errors = [], []
    for index, one in enumerate(body.rules):
        try:
            value = editing.normalize_value(one.kind, one.value, one.action)
        except ValueError as error:
            errors.append(describe_error(("body", "rules", index), "invalid_rule", str(error)))
        else:
            rules.append({"kind": one.kind.value, "value": value, "action": one.action.value})
    if not body.rules and not body.rule_ids:
        detail = "Send rules, or the ids of rules."
        errors.append(describe_error(("body", "rules"), "missing", detail))
    if errors:
        raise ValidationFailed(errors=errors[:MAX_ERRORS])
    for rule_id in body.rule_ids:
        rule = await editing.get_rule(uow, rule_id)
        rules.append({"kind": rule.kind.value, "value": rule.value, "action": rule.action.value})
    dry_run = DryRun(
        id=make_id(),
        created_by=actor.id,
        rules=rules,
        comment_limit=body.limit,
        created_at=uow.now,
    )
    uow.session.add(dry_run)
    uow.emit(DryRunRequested(dry_run_id=dry_run.id))
    await uow.session.flush()
    return dry_run


async def run_dry_run(services: Services, event: DryRunRequested) -> None:
    """Carry out a dry run from where it stands; a second worker beside it changes nothing."""
    while True:
        async with services.database.write_session() as session:
            dry_run = await queries.find_dry_run(session, event.dry_run_id)
            if dry_run is None or dry_run.finished_at is not None:
                return
            size = min(BATCH, dry_run.comment_limit - dry_run.scanned)
            comments = await queries.list_comments(session, before=dry_run.last_id, limit=size)
            rules = await asyncio.to_thread(Rules, _to_rules(dry_run))
            matches = await _match(rules, comments)
            is_last = len(comments) < size or dry_run.scanned + size >= dry_run.comment_limit
            await queries.save_progress(
                session,
                dry_run,
                last_id=comments[-1][0] if comments else None,
                scanned=len(comments),
                matched=len({match["comment_id"] for match in matches}),
                matches=matches[: MAX_DRY_RUN_MATCHES - len(dry_run.matches)],
                finished_at=services.clock.now() if is_last else None,
            )


def _to_rules(dry_run: DryRun) -> list[Rule]:
    """Return the rules of a dry run; the id of each is its index."""
    return [
        Rule(
            id=UUID(int=index),
            kind=RuleKind(rule["kind"]),
            value=rule["value"],
            action=RuleAction(rule["action"]),
        )
        for index, rule in enumerate(dry_run.rules)
    ]


async def _match(rules: Rules, comments: Sequence[tuple[UUID, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for comment_id, body in comments:
        try:
            document = await parse_text(body)
        except TextTooLarge:
            # Of an earlier release, which had other bounds.
            continue
        candidate = Candidate(
            author=Author(), limits=Limits(), body=body, links=document.list_links()
        )
        for finding in await asyncio.to_thread(find_in_text, candidate, rules):
            index = finding.rule_id.int if finding.rule_id else 0
            found.append(
                {
                    "comment_id": str(comment_id),
                    "rule": index,
                    "start": finding.start,
                    "end": finding.end,
                }
            )
    return found
