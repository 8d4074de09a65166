"""What people are notified of when a transaction makes it public, or decides about them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from api.articles.events import ArticleCreated
from api.comments.events import CommentCreated, CommentEdited, CommentsShown
from api.comments.mentions.queries import find_mentioned_ids
from api.comments.mentions.recipients import choose_ids
from api.comments.visibility import is_visible
from api.kit.db.events import Event
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.moderation.appeals.events import AppealDecided
from api.moderation.events import ModerationDecided
from api.moderation.sanctions.events import SanctionChanged
from api.notifications.events import FollowersLeft
from api.notifications.recipients import queries
from api.notifications.recipients.queries import DecisionRow, Message, Occasions
from api.notifications.recipients.service import add_notifications, notify_more_followers
from models import CommentState, ModerationLogEntry, NotificationKind

# How old an edit may be whose mentions are looked at when the comment is restored. It is shorter
# than a notification is kept: of older ones, nobody knows who was told.
_EDITED_WITHIN = timedelta(days=30)


async def notify(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Notify everybody of what a transaction did, all at once.

    One after the other, two transactions could take the locks of two inboxes crosswise.
    """
    occasions = Occasions()
    for event in events:
        match event:
            case CommentCreated():
                occasions.published[event.comment_id] = event.article_id
                if event.mentioned_ids:
                    occasions.mentioned[event.comment_id] = event.mentioned_ids
            case CommentEdited() if event.mentioned_ids:
                occasions.mentioned[event.comment_id] = event.mentioned_ids
            case CommentsShown():
                await _add_shown(uow, event, occasions)
            case ArticleCreated():
                occasions.article_ids.append(event.article_id)
            case _:
                pass
    occasions.messages += await _load_messages(uow, events)
    await add_notifications(uow, occasions)


async def notify_followers(services: Services, event: FollowersLeft) -> None:
    """Notify the next followers of what has many; doing it twice notifies nobody twice."""
    async with services.unit_of_work() as uow:
        await notify_more_followers(uow, event)


async def _add_shown(uow: UnitOfWork, event: CommentsShown, occasions: Occasions) -> None:
    """Add comments that were approved, and the mentions of edits that were held until now.

    Who was told of a mention is not told again.
    """
    published = event.published_ids
    mentioned: dict[UUID, tuple[UUID | None, Sequence[UUID]]] = {}
    if published:
        occasions.published |= dict.fromkeys(published, event.article_id)
        mentioned |= await find_mentioned_ids(uow.session, published)
    if restored := set(event.comment_ids) - set(published):
        since = uow.now - _EDITED_WITHIN
        mentioned |= await find_mentioned_ids(uow.session, restored, edited_since=since)
    for comment_id, (author_id, mentioned_ids) in mentioned.items():
        occasions.mentioned[comment_id] = choose_ids(author_id, mentioned_ids)


async def _load_messages(uow: UnitOfWork, events: Sequence[Event]) -> list[Message]:
    """Return what single people are told of decisions about them."""
    messages: list[Message] = []
    log_ids = [event.log_id for event in events if isinstance(event, ModerationDecided)]
    if log_ids:
        rows = await queries.find_decisions(uow.session, log_ids, uow.now)
        messages += _to_messages(row.log_entry for row in rows if _is_told(row))
    sanction_ids = [event.sanction_id for event in events if isinstance(event, SanctionChanged)]
    if sanction_ids:
        messages += _to_messages(await queries.find_sanction_entries(uow.session, sanction_ids))
    appeal_ids = [event.appeal_id for event in events if isinstance(event, AppealDecided)]
    if appeal_ids:
        messages += [
            Message(
                user_id=appeal.user_id,
                kind=NotificationKind.APPEAL,
                object_id=appeal.id,
                article_id=log_entry.article_id,
                comment_id=log_entry.comment_id,
                log_id=appeal.log_id,
                appeal_id=appeal.id,
            )
            for appeal, log_entry in await queries.find_appeals(uow.session, appeal_ids)
        ]
    return messages


def _to_messages(entries: Iterable[ModerationLogEntry]) -> list[Message]:
    return [
        Message(
            user_id=entry.user_id,
            kind=NotificationKind.DECISION,
            object_id=entry.id,
            article_id=entry.article_id,
            comment_id=entry.comment_id,
            log_id=entry.id,
        )
        for entry in entries
        if entry.user_id is not None
    ]


def _is_told(row: DecisionRow) -> bool:
    """Return whether the author of a text can learn of a decision about it.

    To one with a shadow ban nothing changes when what the ban withholds is shown.
    """
    if not row.is_shadow_banned:
        return True
    before, after = row.log_entry.before, row.log_entry.after
    seemed_visible = is_visible(CommentState(before["state"])) or "is_shadowed" in before
    return seemed_visible is not is_visible(CommentState(after["state"]))
