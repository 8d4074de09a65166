"""Decide about comments: one transaction, one version and one event for each thread.

What readers see is changed by `api.comments.lifecycle` alone; here are the wait that a decision
ends, the reports that it resolves, and the log entry that explains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.articles import queries as articles
from api.comments import lifecycle
from api.comments.errors import CommentNotFound
from api.comments.lifecycle import LockedComment
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import Resource, check_revision, parse_if_match
from api.kit.problems import Problem
from api.kit.services import Services
from api.moderation.actions import queries
from api.moderation.actions.policy import (
    RESOLUTIONS,
    get_state_after,
    get_state_after_undo,
)
from api.moderation.actions.schemas import ActionCreate, ActionTarget, ModerationAction
from api.moderation.events import ModerationDecided
from api.moderation.items import queries as items
from api.moderation.items.policy import require_unclaimed
from api.moderation.log import queries as log
from api.moderation.policy import Moderator, require_global, require_may_moderate
from api.moderation.reports import queries as reports
from models import (
    CommentState,
    LogAction,
    ModerationLogEntry,
    ModerationReason,
    ReviewItem,
    ReviewSource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is decided, who decided it (None: the service or the operator), and why."""

    action: LogAction
    moderator_id: UUID | None
    reason: ModerationReason | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a decision does to one comment."""

    comment_id: UUID
    author_id: UUID | None
    before: CommentState
    after: CommentState
    # The comment's revision after it.
    revision: int
    # The open review item that it found.
    item: ReviewItem | None
    # Whether its author, with a shadow ban, took it for visible.
    is_shadowed: bool = False
    undone: ModerationLogEntry | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a target: its decision and the log entry, or the problem."""

    comment_id: UUID
    decision: Decision | None = None
    log_id: UUID | None = None
    problem: Problem | None = None


async def decide(services: Services, moderator: Moderator, body: ActionCreate) -> list[Outcome]:
    """Carry out one action for many comments, each as the moderator saw it.

    Return the outcomes in the order of the targets. In a thread those targets that take the action
    change together; a problem of a whole thread leaves the other threads as they are.
    """
    epoch = (await services.epoch.get()).value
    async with services.database.read_session() as session:
        ids = [target.comment_id for target in body.targets]
        found = await queries.find_articles_of(session, ids)
    by_article: dict[UUID | None, list[ActionTarget]] = {}
    for target in body.targets:
        by_article.setdefault(found.get(target.comment_id), []).append(target)
    outcomes: dict[UUID, Outcome] = {}
    for article_id, targets in by_article.items():
        part = body.model_copy(update={"targets": targets})
        try:
            if article_id is None:
                raise CommentNotFound
            async with services.write_queues.turn(article_id), services.unit_of_work() as uow:
                decided = await _decide_in_thread(uow, moderator, article_id, part, epoch)
        except Problem as problem:
            decided = [Outcome(target.comment_id, problem=problem) for target in targets]
        outcomes |= {outcome.comment_id: outcome for outcome in decided}
    return [outcomes[target.comment_id] for target in body.targets]


async def record_decisions(
    uow: UnitOfWork, article_id: UUID, decisions: Sequence[Decision], explanation: Explanation
) -> list[UUID]:
    """Log decisions, end the waits for them, and resolve the reports; return the log's ids.

    The caller holds the thread's lock, and changes the states.
    """
    if not decisions:
        return []
    action, by = explanation.action, explanation.moderator_id
    entries = [
        ModerationLogEntry(
            id=make_id(),
            actor_id=by,
            action=action,
            comment_id=one.comment_id,
            article_id=article_id,
            user_id=one.author_id,
            reason=explanation.reason,
            note=explanation.note,
            before=_describe_before(one),
            after={"state": one.after, "revision": one.revision},
            undoes_id=one.undone.id if one.undone else None,
            created_at=uow.now,
        )
        for one in decisions
    ]
    await log.add_entries(uow.session, entries)
    log_ids = {one.comment_id: entry.id for one, entry in zip(decisions, entries, strict=True)}
    if action in RESOLUTIONS:
        resolution, of_reports = RESOLUTIONS[action]
        await items.resolve_items(uow.session, log_ids.keys(), resolution, by=by, now=uow.now)
        await reports.resolve_reports(uow.session, log_ids, of_reports, now=uow.now)
    elif action is LogAction.ESCALATE:
        await items.open_items(
            uow.session,
            log_ids.keys(),
            article_id=article_id,
            source=ReviewSource.FLAGGED,
            now=uow.now,
        )
        await items.set_escalated(uow.session, log_ids.keys(), is_escalated=True)
    for one in decisions:
        if one.undone is not None:
            await _revive(uow, one.comment_id, one.undone)
        if one.author_id is not None and one.author_id != by and one.before is not one.after:
            uow.emit(ModerationDecided(log_id=log_ids[one.comment_id], user_id=one.author_id))
    return list(log_ids.values())


def _describe_before(decision: Decision) -> dict[str, Any]:
    item = decision.item
    before = {"state": decision.before, "item_id": str(item.id) if item else None}
    return before | ({"is_shadowed": True} if decision.is_shadowed else {})


async def _decide_in_thread(
    uow: UnitOfWork, moderator: Moderator, article_id: UUID, body: ActionCreate, epoch: str
) -> list[Outcome]:
    """Carry out one action in one thread.

    Raises ArticleNotFound, CommentNotFound or OutsideYourScope when no target takes it.
    """
    ids = [target.comment_id for target in body.targets]
    thread = await lifecycle.lock_comments(uow, article_id, ids)
    tags = await articles.find_tags(uow.session, article_id)
    require_may_moderate(moderator.scope, article_id, tags)
    waiting = await items.lock_open_items(uow.session, ids)
    undoes = body.action is ModerationAction.UNDO
    newest = await log.find_newest(uow.session, ids) if undoes else {}
    decisions: list[Decision] = []
    problems: dict[UUID, Problem] = {}
    for target in body.targets:
        comment, item = thread.comments[target.comment_id], waiting.get(target.comment_id)
        try:
            expected = parse_if_match(epoch, target.etag)
            check_revision(expected, Resource("comment", comment.id), comment.revision)
            require_unclaimed(item, moderator.id, uow.now)
            if item is not None and item.is_escalated:
                require_global(moderator.scope)
            decisions.append(_plan(body.action, comment, item, newest.get(comment.id)))
        except Problem as problem:
            problems[comment.id] = problem
    await _change_states(uow, article_id, decisions)
    explanation = Explanation(
        action=LogAction(body.action),
        moderator_id=moderator.id,
        reason=body.reason,
        note=body.note,
    )
    log_ids = await record_decisions(uow, article_id, decisions, explanation)
    carried_out = [
        Outcome(one.comment_id, one, log_id) for one, log_id in zip(decisions, log_ids, strict=True)
    ]
    refused = [Outcome(comment_id, problem=problem) for comment_id, problem in problems.items()]
    return carried_out + refused


def _plan(
    action: ModerationAction,
    comment: LockedComment,
    item: ReviewItem | None,
    newest: ModerationLogEntry | None,
) -> Decision:
    """Return what an action does to a comment. Raises ActionNotPossible or NothingToUndo."""
    undoes, before = action is ModerationAction.UNDO, comment.state
    if undoes:
        after = get_state_after_undo(newest, comment.revision)
    else:
        after = get_state_after(action, before)
    return Decision(
        comment_id=comment.id,
        author_id=comment.author_id,
        before=before,
        after=after,
        # The lifecycle raises it by one with each change of the state.
        revision=comment.revision + (after is not before),
        item=item,
        is_shadowed=comment.is_shadowed,
        undone=newest if undoes else None,
    )


async def _change_states(uow: UnitOfWork, article_id: UUID, decisions: Sequence[Decision]) -> None:
    """Give the comments their new states: one version for each state that comes out.

    That is one version for any action but undo, which can lead to several states.
    """
    by_state: dict[CommentState, list[UUID]] = {}
    for one in decisions:
        if one.after is not one.before:
            by_state.setdefault(one.after, []).append(one.comment_id)
    for after, comment_ids in by_state.items():
        # Locked again: the change before this one may have changed whether ancestors are listed.
        thread = await lifecycle.lock_comments(uow, article_id, comment_ids)
        await lifecycle.change_states(uow, thread, after)


async def _revive(uow: UnitOfWork, comment_id: UUID, undone: ModerationLogEntry) -> None:
    """Let a comment wait again as it did before a decision that is undone."""
    if undone.action is LogAction.ESCALATE:
        await items.set_escalated(uow.session, [comment_id], is_escalated=False)
        return
    item_id = undone.before["item_id"]
    if item_id is None:
        # Nothing waited: its reports had been upheld before.
        await reports.uphold_reports(uow.session, undone.id)
        return
    await reports.reopen_reports(uow.session, undone.id)
    await items.reopen_items(uow.session, [UUID(item_id)])
    await items.weigh_items(uow.session, [comment_id])
