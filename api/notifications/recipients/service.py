"""Put notifications into the inboxes of those who should know."""

from uuid import UUID

from api.kit.db.unit_of_work import UnitOfWork
from api.notifications.events import FollowersLeft, NotificationsAdded
from api.notifications.recipients import queries
from api.notifications.recipients.queries import Message, Occasions
from models import NotificationKind

# Followers of a comment or an article that the transaction which publishes it notifies: it holds
# the thread's lock meanwhile. The worker notifies the others, so many at a time.
MAX_AT_ONCE = 100
MAX_BY_WORKER = 500


async def add_notifications(uow: UnitOfWork, occasions: Occasions) -> None:
    """Notify everybody of what a transaction did, in one statement and with one event.

    To be called once in a transaction, as its last step: two calls could take the locks of two
    inboxes crosswise with another transaction.
    """
    await _add(uow, occasions, after=None, max_followers=MAX_AT_ONCE)


async def notify_more_followers(uow: UnitOfWork, event: FollowersLeft) -> None:
    """Notify the next followers; of a comment that was hidden meanwhile, too.

    They see it when it is restored.
    """
    await queries.lock_article(uow.session, event.article_id)
    occasions = Occasions()
    if event.comment_id is None:
        occasions.article_ids.append(event.article_id)
    else:
        occasions.published[event.comment_id] = event.article_id
    await _add(uow, occasions, after=event.after, max_followers=MAX_BY_WORKER)


async def notify_webhook_disabled(uow: UnitOfWork, *, user_id: UUID, webhook_id: UUID) -> None:
    """Tell the owner of a webhook that it was switched off; once more if it had been before."""
    message = Message(user_id=user_id, kind=NotificationKind.WEBHOOK_DISABLED, object_id=webhook_id)
    await add_notifications(uow, Occasions(messages=[message]))


async def _add(
    uow: UnitOfWork, occasions: Occasions, *, after: UUID | None, max_followers: int
) -> None:
    if not occasions:
        return
    added = await queries.add_notifications(
        uow.session, occasions, after=after, max_followers=max_followers, now=uow.now
    )
    if added.notifications:
        uow.emit(
            NotificationsAdded(
                notification_ids=tuple(
                    notification_id for notification_id, _ in added.notifications
                ),
                user_ids=tuple(user_id for _, user_id in added.notifications),
            )
        )
    for object_id, last_id in added.followers_left.items():
        article_id = occasions.published.get(object_id)
        uow.emit(
            FollowersLeft(
                article_id=article_id or object_id,
                comment_id=object_id if article_id else None,
                after=last_id,
            )
        )
