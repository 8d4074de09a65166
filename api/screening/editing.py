"""Changes of the rules and settings. Each raises the version by which processes know them.

Beside what is asked for they return what was so before, for whoever keeps a log.
"""

from collections.abc import Sequence
from typing import Any, NoReturn
from uuid import UUID

from api.auth.actor import Actor
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.http.problem_responses import MAX_ERRORS, describe_error
from api.kit.problems import ValidationFailed
from api.screening import queries
from api.screening.errors import RuleExists, RuleNotFound, TooManyRules
from api.screening.matching import EntryKind, InvalidEntryError, check_value
from api.screening.rules import to_host
from api.screening.schemas import RuleCreate, RuleImport, RuleUpdate, ScreeningSettingsUpdate
from models import RuleAction, RuleKind, ScreeningRule, ScreeningSettings

# All patterns are compiled in each process, and all words are in its memory.
MAX_RULES = 20_000
# What an entity tag of the settings is of; there is one row.
SETTINGS = Resource("screening_settings", UUID(int=0))


# What a line of a file changes of a rule with its kind and value.
_IMPORTED = {"action", "note", "is_enabled"}


class _InvalidRuleError(ValueError):
    """What is wrong with a rule, and with which field of it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


async def create_rule(uow: UnitOfWork, actor: Actor, body: RuleCreate) -> ScreeningRule:
    """Add a rule. Raises ValidationFailed, RuleExists or TooManyRules."""
    value = _check(body.kind, body.value, body.action)
    await queries.raise_version(uow.session)
    if await queries.count_rules(uow.session) >= MAX_RULES:
        raise TooManyRules
    rule = _to_row(uow, actor, body, value)
    with map_integrity_errors({"uq_screening_rules_value": RuleExists}):
        async with uow.session.begin_nested():
            uow.session.add(rule)
    return rule


async def update_rule(
    uow: UnitOfWork, rule_id: UUID, body: RuleUpdate, expected: ExpectedRevision
) -> tuple[ScreeningRule, dict[str, Any]]:
    """Change a rule. Raises RuleNotFound, PreconditionFailed, ValidationFailed or RuleExists."""
    await queries.raise_version(uow.session)
    rule = await get_rule(uow, rule_id)
    check_revision(expected, Resource("rule", rule.id), rule.revision)
    changes = body.model_dump(exclude_none=True)
    changes["value"] = _check(
        rule.kind, changes.get("value", rule.value), changes.get("action", rule.action)
    )
    with map_integrity_errors({"uq_screening_rules_value": RuleExists}):
        async with uow.session.begin_nested():
            before = _change(uow, rule, changes)
    return rule, before


async def delete_rule(uow: UnitOfWork, rule_id: UUID, expected: ExpectedRevision) -> ScreeningRule:
    """Delete a rule; decisions that it made stay. Raises RuleNotFound or PreconditionFailed."""
    await queries.raise_version(uow.session)
    rule = await get_rule(uow, rule_id)
    check_revision(expected, Resource("rule", rule.id), rule.revision)
    await uow.session.delete(rule)
    return rule


async def import_rules(
    uow: UnitOfWork, actor: Actor, rules: Sequence[tuple[int, RuleCreate]]
) -> tuple[RuleImport, Sequence[tuple[ScreeningRule, dict[str, Any]]]]:
    """Add rules, and change those of the same kind and value: all of them or none.

    Each comes with the number of its line; return what was done, and the rules that are different
    or new now. Raises ValidationFailed or TooManyRules.
    """
    wanted = _check_all(rules)
    await queries.raise_version(uow.session)
    known = await queries.find_rules(uow.session)
    if len(known.keys() | wanted.keys()) > MAX_RULES:
        raise TooManyRules
    new = [
        _to_row(uow, actor, body, value)
        for (kind, value), body in wanted.items()
        if (kind, value) not in known
    ]
    uow.session.add_all(new)
    changed = []
    for key, body in wanted.items():
        if key in known:
            before = _change(uow, known[key], body.model_dump(include=_IMPORTED))
            changed += [(known[key], before)] if before else []
    await uow.session.flush()
    unchanged = len(wanted) - len(new) - len(changed)
    done = RuleImport(added=len(new), changed=len(changed), unchanged=unchanged)
    return done, [*changed, *((rule, {}) for rule in new)]


async def update_settings(
    uow: UnitOfWork, body: ScreeningSettingsUpdate, expected: ExpectedRevision
) -> tuple[ScreeningSettings, dict[str, Any]]:
    """Change the settings that were sent. Raises PreconditionFailed."""
    await queries.raise_version(uow.session)
    settings = await queries.get_settings(uow.session)
    check_revision(expected, SETTINGS, settings.revision)
    sent = body.model_dump(exclude_unset=True)
    before = {name: old for name in sent if (old := getattr(settings, name)) != sent[name]}
    for name in before:
        setattr(settings, name, sent[name])
    settings.revision += 1
    settings.updated_at = uow.now
    await uow.session.flush()
    return settings, before


async def get_rule(uow: UnitOfWork, rule_id: UUID) -> ScreeningRule:
    """Return a rule. Raises RuleNotFound."""
    rule = await queries.find_rule(uow.session, rule_id)
    if rule is None:
        raise RuleNotFound
    return rule


def _to_row(uow: UnitOfWork, actor: Actor, body: RuleCreate, value: str) -> ScreeningRule:
    return ScreeningRule(
        id=make_id(),
        **{**body.model_dump(), "value": value},
        created_by=actor.id,
        created_at=uow.now,
        updated_at=uow.now,
    )


def _change(uow: UnitOfWork, rule: ScreeningRule, changes: dict[str, Any]) -> dict[str, Any]:
    """Set what differs; return what it was before."""
    before = {name: old for name in changes if (old := getattr(rule, name)) != changes[name]}
    for name in before:
        setattr(rule, name, changes[name])
    if before:
        rule.revision += 1
        rule.updated_at = uow.now
    return before


def _check(kind: RuleKind, value: str, action: RuleAction) -> str:
    """Return the value as it is stored. Raises ValidationFailed."""
    try:
        return normalize_value(kind, value, action)
    except _InvalidRuleError as error:
        _refuse([describe_error(("body", error.field), "invalid_rule", str(error))])


def _check_all(
    rules: Sequence[tuple[int, RuleCreate]],
) -> dict[tuple[RuleKind, str], RuleCreate]:
    """Return rules by kind and value; of two equal ones the later. Raises ValidationFailed."""
    wanted: dict[tuple[RuleKind, str], RuleCreate] = {}
    errors = []
    for line, body in rules:
        try:
            wanted[body.kind, normalize_value(body.kind, body.value, body.action)] = body
        except _InvalidRuleError as error:
            where = ("body", f"line {line}", error.field)
            errors.append(describe_error(where, "invalid_rule", str(error)))
    if errors:
        _refuse(errors)
    return wanted


def normalize_value(kind: RuleKind, value: str, action: RuleAction) -> str:
    """Return a rule's value as it is stored: of a domain its one spelling.

    Raises ValueError, with a message for moderators, for a rule that could not be matched.
    """
    if kind is RuleKind.DOMAIN:
        host = to_host(value)
        if host is None or "." not in host or not set(host) <= set(_HOST):
            raise _InvalidRuleError("value", "Use the name of a domain, such as example.com.")
        return host
    if action is RuleAction.ALLOW:
        raise _InvalidRuleError("action", "Only domains can be allowed.")
    try:
        check_value(EntryKind(kind.value), value)
    except InvalidEntryError as error:
        raise _InvalidRuleError("value", str(error)) from error
    return value


_HOST = "abcdefghijklmnopqrstuvwxyz0123456789.-_"


def _refuse(errors: list[dict[str, str]]) -> NoReturn:
    raise ValidationFailed(errors=errors[:MAX_ERRORS])
