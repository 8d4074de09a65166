"""What follows in moderation from what happened to comments and articles."""

from api.articles.events import (
    ArticleDeleted,
    ArticleFlagged,
    ArticleModerated,
    ArticleRemoved,
    ArticleRestored,
)
from api.comments.events import CommentDeleted, RemovedByDelete, ReviewRequested
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.actions.service import Decision, Explanation, record_decisions
from api.moderation.events import ModerationDecided
from api.moderation.items import queries as items
from api.moderation.items.policy import require_unclaimed
from api.moderation.log.service import log_change
from models import ArticleState, CommentState, LogAction, ReviewResolution, ReviewSource


async def open_requested(uow: UnitOfWork, event: ReviewRequested) -> None:
    """Let comments that screening held or flagged wait for a moderator."""
    await items.open_items(
        uow.session,
        event.comment_ids,
        article_id=event.article_id,
        source=ReviewSource.HELD if event.is_held else ReviewSource.FLAGGED,
        now=uow.now,
    )


async def close_items(uow: UnitOfWork, event: CommentDeleted) -> None:
    """End the wait of comments that their author deleted."""
    await items.resolve_items(
        uow.session, event.comment_ids, ReviewResolution.DELETED, by=None, now=uow.now
    )


async def close_items_of_article(uow: UnitOfWork, event: ArticleDeleted | ArticleRemoved) -> None:
    """End the wait of the comments under an article that is gone: nobody decided about them."""
    await items.resolve_items_of_article(uow.session, event.article_id, now=uow.now)


async def reopen_items_of_article(uow: UnitOfWork, event: ArticleRestored) -> None:
    """Let comments wait again that did so when their article was removed."""
    await items.reopen_items_of_article(uow.session, event.article_id)


async def record_flag(uow: UnitOfWork, event: ArticleFlagged) -> None:
    """Let moderators of the whole forum find an article in which screening found something."""
    log_change(
        uow,
        None,
        LogAction.ESCALATE,
        {},
        {"phases": event.phases},
        article_id=event.article_id,
        user_id=event.author_id,
    )


async def record_article(uow: UnitOfWork, event: ArticleModerated) -> None:
    """Log what a moderator did to another person's article; of texts only that they changed.

    The author is told of a removal.
    """
    action = LogAction.REMOVE if event.is_removed else LogAction.CHANGE_ARTICLE
    after = {"state": ArticleState.REMOVED} if event.is_removed else {"changed": event.changed}
    before = {"state": ArticleState.VISIBLE} if event.is_removed else {}
    log_entry = log_change(
        uow,
        event.moderator_id,
        action,
        before,
        after,
        article_id=event.article_id,
        user_id=event.author_id,
    )
    if event.is_removed and event.author_id is not None:
        await uow.session.flush()
        uow.emit(ModerationDecided(log_id=log_entry.id, user_id=event.author_id))


async def record_removal(uow: UnitOfWork, event: RemovedByDelete) -> None:
    """Log that a moderator deleted another person's comment, as any other removal is logged.

    Raises ClaimedByAnother.
    """
    waiting = await items.lock_open_items(uow.session, [event.comment_id])
    require_unclaimed(waiting.get(event.comment_id), event.moderator_id, uow.now)
    decision = Decision(
        comment_id=event.comment_id,
        author_id=event.author_id,
        before=event.state,
        after=CommentState.REMOVED,
        revision=event.revision,
        item=waiting.get(event.comment_id),
    )
    explanation = Explanation(action=LogAction.REMOVE, moderator_id=event.moderator_id)
    await record_decisions(uow, event.article_id, [decision], explanation)
