"""Appeal against a decision, and decide appeals."""

from contextlib import suppress
from uuid import UUID

from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.comments import lifecycle
from api.comments.errors import CommentNotFound
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.actions.policy import get_state_after
from api.moderation.actions.schemas import ModerationAction
from api.moderation.actions.service import Decision, Explanation, record_decisions
from api.moderation.appeals import policy, queries
from api.moderation.appeals.errors import (
    AlreadyAppealed,
    AppealClosed,
    AppealNotFound,
    DecisionNotFound,
    DecisionUndone,
)
from api.moderation.appeals.events import AppealDecided
from api.moderation.appeals.queries import AppealRow
from api.moderation.appeals.schemas import AppealCreate, AppealDecision
from api.moderation.errors import ActionNotPossible
from api.moderation.items import queries as items
from api.moderation.sanctions import queries as sanctions
from api.moderation.sanctions.errors import SanctionEnded
from api.moderation.sanctions.service import lift
from models import Appeal, AppealState, LogAction, ModerationLogEntry


async def create_appeal(uow: UnitOfWork, actor: Actor, body: AppealCreate) -> Appeal:
    """Appeal against a decision. Raises DecisionNotFound, AlreadyAppealed or DecisionUndone."""
    decision = await queries.find_decision(uow.session, actor.id, body.log_id)
    if decision is None:
        raise DecisionNotFound
    if decision.appeal is not None:
        raise AlreadyAppealed
    if decision.is_undone:
        raise DecisionUndone
    appeal = Appeal(
        id=make_id(),
        log_id=body.log_id,
        user_id=actor.id,
        text=body.text,
        created_at=uow.now,
    )
    with map_integrity_errors({"uq_appeals_log_id": AlreadyAppealed}):
        await queries.add_appeal(uow.session, appeal)
    return appeal


async def decide_appeal(
    uow: UnitOfWork, actor: Actor | None, appeal_id: UUID, body: AppealDecision
) -> AppealRow:
    """Grant or refuse an appeal; granting it undoes the decision as far as it still applies.

    Raises AppealNotFound, AppealClosed, NotAModerator, MayNotDecide or MayNotSanction.
    """
    appeal = await queries.lock_appeal(uow.session, appeal_id)
    row = await queries.find_appeal(uow.session, appeal_id)
    if appeal is None or row is None:
        raise AppealNotFound
    policy.require_may_decide(actor, row.log_entry, row.person)
    if appeal.outcome is not AppealState.OPEN:
        raise AppealClosed
    actor_id = actor.id if actor else None
    appeal.outcome = AppealState.GRANTED if body.is_granted else AppealState.REFUSED
    appeal.decided_by, appeal.decision_reason = actor_id, body.reason
    appeal.decided_at = uow.now
    log_entry = ModerationLogEntry(
        id=make_id(),
        actor_id=actor_id,
        action=LogAction.DECIDE_APPEAL,
        comment_id=row.log_entry.comment_id,
        article_id=row.log_entry.article_id,
        user_id=appeal.user_id,
        before={"log_id": str(appeal.log_id)},
        after={"appeal_id": str(appeal.id), "appeal_state": appeal.outcome.value},
        created_at=uow.now,
    )
    uow.session.add(log_entry)
    if body.is_granted:
        await _undo(uow, actor_id, row.log_entry)
    uow.emit(AppealDecided(appeal_id=appeal.id, user_id=appeal.user_id))
    await uow.session.flush()
    return row


async def _undo(uow: UnitOfWork, actor_id: UUID | None, log_entry: ModerationLogEntry) -> None:
    """Undo a decision, unless its time is over or the comment or its article is gone."""
    if log_entry.action is LogAction.SANCTION:
        found = await sanctions.find_sanction_of(uow.session, log_entry.id)
        sanction = found and await sanctions.lock_sanction(uow.session, found.id)
        if sanction is not None:
            with suppress(SanctionEnded):
                await lift(uow, sanction, by=actor_id)
        return
    if log_entry.comment_id is not None and log_entry.article_id is not None:
        with suppress(ArticleNotFound, CommentNotFound, ActionNotPossible):
            await _restore(uow, actor_id, log_entry.article_id, log_entry.comment_id)


async def _restore(
    uow: UnitOfWork, actor_id: UUID | None, article_id: UUID, comment_id: UUID
) -> None:
    """Show a comment again, as the queue does.

    Raises ArticleNotFound, CommentNotFound or ActionNotPossible.
    """
    thread = await lifecycle.lock_comments(uow, article_id, [comment_id])
    comment = thread.comments[comment_id]
    after = get_state_after(ModerationAction.RESTORE, comment.state)
    waiting = await items.lock_open_items(uow.session, [comment_id])
    await lifecycle.change_states(uow, thread, after)
    decision = Decision(
        comment_id=comment_id,
        author_id=comment.author_id,
        before=comment.state,
        after=after,
        revision=comment.revision + 1,
        item=waiting.get(comment_id),
    )
    explanation = Explanation(action=LogAction.RESTORE, moderator_id=actor_id)
    await record_decisions(uow, article_id, [decision], explanation)
