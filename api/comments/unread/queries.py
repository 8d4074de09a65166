"""SQL statements of what is new for a reader."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, case, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.unread.schemas import MAX_NEW_COMMENTS
from api.comments.visibility import shows_text
from models import Article, Comment, ReadState


@dataclass(frozen=True, slots=True)
class ReadStateRow:
    """An article's version, and up to which one a person read its thread, None if they never did.

    `new_comment_count` visible comments of others were published since, at most MAX_NEW_COMMENTS;
    None if they never did.
    """

    article_id: UUID
    version: int
    read_version: int | None
    new_comment_count: int | None


async def find_read_states(
    session: AsyncSession, user_id: UUID, article_ids: Collection[UUID]
) -> list[ReadStateRow]:
    """Return what a person has read of these articles, of those that are public."""
    new = (
        select(col(Comment.id))
        .where(
            col(Comment.article_id) == col(Article.id),
            col(Comment.published_version) > col(ReadState.version),
            shows_text(),
            col(Comment.author_id).is_distinct_from(user_id),
        )
        # In the order of its index, else PostgreSQL may take another one and read the whole thread.
        .order_by(col(Comment.published_version))
        .limit(MAX_NEW_COMMENTS)
        .correlate(Article, ReadState)
        .subquery()
    )
    count = select(func.count()).select_from(new).scalar_subquery()
    is_of_reader = and_(
        col(ReadState.article_id) == col(Article.id), col(ReadState.user_id) == user_id
    )
    statement = (
        select(
            col(Article.id),
            col(Article.version),
            col(ReadState.version),
            case((col(ReadState.version).is_not(None), count)),
        )
        .outerjoin(ReadState, is_of_reader)
        .where(col(Article.id) == any_(literal(list(article_ids), ARRAY(Uuid()))), is_public())
        .order_by(col(Article.id))
    )
    return [ReadStateRow(*row) for row in (await session.execute(statement)).all()]
