"""What the worker does for webhooks when something changes that everybody sees."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles.changes import PublicEvent
from api.kit.services import Services
from api.webhooks import queries, sending
from api.webhooks.messages import find_changes


async def find_targets(session: AsyncSession, event: PublicEvent) -> list[str]:
    """Return the webhooks that are told of an event."""
    changes = find_changes(event)
    if not changes:
        return []
    found = await queries.find_targets(session, event.article_id, changes.keys())
    return [str(webhook_id) for webhook_id in found]


async def deliver(services: Services, event: PublicEvent, target: str) -> None:
    """Tell one webhook of an event. Raises DeliveryFailedError."""
    await sending.deliver_event(services, event, UUID(target))
