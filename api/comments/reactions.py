"""What follows in threads from what happened, here and in other domains."""

from uuid import UUID

from api.articles import queries as articles
from api.comments.events import NamesRefreshed
from api.comments.mentions import queries
from api.kit.services import Services
from api.users.events import ProfileChanged

# Threads of one query; each is refreshed in a transaction of its own, so no lock is held for long.
BATCH = 200


async def refresh_names(services: Services, event: ProfileChanged) -> None:
    """Give every thread that shows the person a new version, since it shows another name now."""
    after: UUID | None = None
    while True:
        async with services.database.read_session() as session:
            batch = await queries.find_articles_of_person(
                session, event.user_id, after=after, limit=BATCH
            )
        for article_id in batch:
            async with services.unit_of_work() as uow:
                bumped = await articles.bump_version(uow.session, article_id)
                if bumped is not None:
                    uow.emit(NamesRefreshed(article_id=article_id, version=bumped.version))
        if len(batch) < BATCH:
            return
        after = batch[-1]
