"""What mail does about events."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.services import Services
from api.mail import queries, service
from api.mail.events import DigestsDue
from api.notifications.events import NotificationsAdded


async def find_mailed_notifications(
    session: AsyncSession, event: NotificationsAdded
) -> Collection[str]:
    """Return the ids of the notifications that are mailed at once."""
    return [str(one) for one in await queries.find_mailed_ids(session, event.notification_ids)]


async def mail_notification(services: Services, _: NotificationsAdded, target: str) -> None:
    """Mail a notification. Raises MailDelayedError."""
    await service.send_notification(services, UUID(target))


async def find_digested_people(_: AsyncSession, event: DigestsDue) -> Collection[str]:
    """Return the ids of the people who get a digest."""
    return [str(user_id) for user_id in event.user_ids]


async def mail_digest(services: Services, event: DigestsDue, target: str) -> None:
    """Mail a digest. Raises MailDelayedError."""
    await service.send_digest(services, event, UUID(target))
