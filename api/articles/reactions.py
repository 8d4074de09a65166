"""What follows for readers of articles from events of articles and of their threads."""

from api.articles.cached_reads import LISTS
from api.kit.db.events import ThreadEvent
from api.kit.services import Services


async def publish_article_version(services: Services, event: ThreadEvent) -> None:
    """Let readers know of a new version of an article, its thread, and so of all lists.

    Raises RedisUnavailable.
    """
    await services.cache.publish_versions({event.article_id: event.version}, counted=[LISTS])
