"""What follows for readers of articles from what happened to them and under them."""

from api.articles.cached_reads import LISTS
from api.kit.db.events import Event
from api.kit.services import Services


async def publish_article_version(services: Services, event: Event) -> None:
    """Let readers know of a new version of an article, its thread, and so of all lists.

    Raises RedisUnavailable.
    """
    versions = {}
    if event.article_id is not None and event.version is not None:
        versions[event.article_id] = event.version
    await services.cache.publish_versions(versions, counted=[LISTS])
