"""Note what was read, and with it the notifications of it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.comments.unread.queries import find_read_states
from api.kit.db.unit_of_work import UnitOfWork
from api.notifications.inbox.queries import Marked, mark_read
from api.notifications.read_states import queries
from api.notifications.read_states.schemas import ReadStateRead


async def mark_thread_read(
    uow: UnitOfWork, user_id: UUID, article: str, version: int
) -> ReadStateRead:
    """Note that a person has read a thread up to a version, and its notifications up to there.

    An older version than they have read already changes nothing. Raises ArticleNotFound.
    """
    article_id = await articles.find_id(uow.session, article)
    if article_id is None:
        raise ArticleNotFound
    read_version = await queries.raise_read_version(
        uow.session, user_id, article_id, version, uow.now
    )
    if read_version is None:
        raise ArticleNotFound
    marked = Marked(article_id=article_id, version=read_version)
    await mark_read(uow.session, user_id, marked, uow.now)
    states = await list_read_states(uow.session, user_id, [article_id])
    if not states:
        raise ArticleNotFound
    return states[0]


async def list_read_states(
    session: AsyncSession, user_id: UUID, article_ids: Collection[UUID]
) -> list[ReadStateRead]:
    """Return what a person has read of articles, of those that are public, in order of id."""
    rows = await find_read_states(session, user_id, article_ids)
    return [ReadStateRead.model_validate(row) for row in rows]
