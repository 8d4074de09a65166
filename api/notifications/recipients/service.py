"""Put notifications into the inboxes of those who should know."""

from uuid import UUID

from api.kit.db.unit_of_work import UnitOfWork
from api.notifications.events import NotificationsAdded
from api.notifications.recipients import queries
from api.notifications.recipients.queries import Message, Occasions
from models import NotificationKind


async def add_notifications(uow: UnitOfWork, occasions: Occasions) -> None:
    """Notify everybody of what a transaction did, in one statement and with one event.

    To be called once in a transaction, as its last step: two calls could take the locks of two
    inboxes crosswise with another transaction.
    """
    if not occasions:
        return
    added = await queries.add_notifications(uow.session, occasions, uow.now)
    if added:
        uow.emit(
            NotificationsAdded(
                notification_ids=tuple(one.notification_id for one in added),
                user_ids=tuple(one.user_id for one in added),
            )
        )


async def notify_webhook_disabled(uow: UnitOfWork, *, user_id: UUID, webhook_id: UUID) -> None:
    """Tell the owner of a webhook that it was switched off; once more if it had been before."""
    message = Message(user_id=user_id, kind=NotificationKind.WEBHOOK_DISABLED, object_id=webhook_id)
    await add_notifications(uow, Occasions(messages=[message]))
