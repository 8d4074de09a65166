"""Every statement of moderators."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles.visibility import is_public
from api.kit.http.pagination import Slice, slice_rows
from models import Article, ModeratorAssignment, User


async def list_moderators(
    session: AsyncSession, *, after: tuple[datetime, UUID] | None, limit: int
) -> Slice[User]:
    """Return people who moderate single articles or tags."""
    statement = (
        select(User)
        .where(exists().where(col(ModeratorAssignment.user_id) == col(User.id)))
        .order_by(col(User.created_at), col(User.id))
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(tuple_(col(User.created_at), col(User.id)) > tuple_(*after))
    return slice_rows((await session.scalars(statement)).all(), limit)


async def list_assignments(
    session: AsyncSession, user_ids: Collection[UUID]
) -> Sequence[ModeratorAssignment]:
    """Return what people moderate."""
    statement = (
        select(ModeratorAssignment)
        .where(col(ModeratorAssignment.user_id).in_(user_ids))
        .order_by(col(ModeratorAssignment.article_id), col(ModeratorAssignment.tag))
    )
    return (await session.scalars(statement)).all()


async def find_articles(session: AsyncSession, article_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these ids are those of public articles."""
    statement = select(col(Article.id)).where(col(Article.id).in_(article_ids), is_public())
    return set(await session.scalars(statement))


async def replace_assignments(
    session: AsyncSession,
    user_id: UUID,
    *,
    article_ids: Collection[UUID],
    tags: Collection[str],
    assignments: Sequence[ModeratorAssignment],
) -> None:
    """Delete what a person moderates no more, and add assignments."""
    await session.execute(
        delete(ModeratorAssignment).where(
            col(ModeratorAssignment.user_id) == user_id,
            col(ModeratorAssignment.article_id).in_(article_ids)
            | col(ModeratorAssignment.tag).in_(tags),
        )
    )
    if assignments:
        rows = [assignment.model_dump() for assignment in assignments]
        await session.execute(insert(ModeratorAssignment), rows)
