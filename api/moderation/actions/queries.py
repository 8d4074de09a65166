"""Statements of decisions that are no other subject's."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Comment


async def find_articles_of(
    session: AsyncSession, comment_ids: Collection[UUID]
) -> dict[UUID, UUID]:
    """Return the article that each comment is under, whether or not either is shown."""
    statement = select(col(Comment.id), col(Comment.article_id)).where(
        col(Comment.id) == any_(literal(list(comment_ids), ARRAY(Uuid)))
    )
    return {row.id: row.article_id for row in (await session.execute(statement)).all()}
