"""What Web Push does about events."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.services import Services
from api.notifications.events import NotificationsAdded
from api.push import queries, service


async def find_subscriptions(session: AsyncSession, event: NotificationsAdded) -> Collection[str]:
    """Return the ids of the subscriptions that get some of the notifications."""
    return [str(one) for one in await queries.find_target_ids(session, event.notification_ids)]


async def push_notifications(services: Services, event: NotificationsAdded, target: str) -> None:
    """Push an event's notifications to a subscription. Raises DeliveryFailedError."""
    await service.push_notifications(services, UUID(target), event.notification_ids)
