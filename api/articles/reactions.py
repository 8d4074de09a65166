"""What follows for readers of articles from what happened to them and under them."""

from api.articles.reading import LISTS
from api.kit.events import Event
from api.kit.services import Services


async def advance_article(services: Services, event: Event) -> None:
    """Let readers know of a new version of an article, its thread, and so of all lists.

    Raises RedisAwayError.
    """
    versions = {}
    if event.article_id is not None and event.version is not None:
        versions[event.article_id] = event.version
    await services.cache.advance(versions, counted=[LISTS])
