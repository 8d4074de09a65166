"""SQL statements of what was read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, DateTime, Uuid
from sqlmodel import col

from api.articles.visibility import is_public
from models import Article, ReadState


async def raise_read_version(
    session: AsyncSession, user_id: UUID, article_id: UUID, version: int, now: datetime
) -> int | None:
    """Note that a person has read a thread up to a version, unless they are further already.

    Return up to where they have read it; None when the article is not public. Nobody has read what
    an article does not have: where it went back, with a restored database, so does the reader.
    """
    newest = select(col(Article.version)).where(col(Article.id) == article_id).scalar_subquery()
    given = select(
        literal(user_id, Uuid()),
        col(Article.id),
        func.least(literal(version, BigInteger()), col(Article.version)),
        literal(now, DateTime(timezone=True)),
    ).where(col(Article.id) == article_id, is_public())
    added = insert(ReadState).from_select(["user_id", "article_id", "version", "read_at"], given)
    statement = added.on_conflict_do_update(
        index_elements=["user_id", "article_id"],
        set_={
            "version": func.greatest(
                func.least(col(ReadState.version), newest), added.excluded.version
            ),
            "read_at": added.excluded.read_at,
        },
    ).returning(col(ReadState.version))
    return await session.scalar(statement)
