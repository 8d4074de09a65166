"""What follows for readers of articles from events of articles and of their threads."""

from collections.abc import Sequence
from uuid import UUID

from api.articles.cached_reads import LISTS
from api.kit.db.events import ThreadEvent
from api.kit.services import Services


async def publish_article_version(services: Services, event: ThreadEvent) -> None:
    """Let readers know of a new version of an article, its thread, and so of all lists.

    Raises RedisUnavailable.
    """
    await publish_article_versions(services, (event,))


async def publish_article_versions(services: Services, events: Sequence[ThreadEvent]) -> None:
    """Let readers know of the newest version of each article, in one step.

    Raises RedisUnavailable.
    """
    versions: dict[UUID, int] = {}
    for event in events:
        versions[event.article_id] = max(event.version, versions.get(event.article_id, 0))
    await services.cache.publish_versions(versions, counted=[LISTS])
