"""Every statement of the demo."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Article, Comment, User


async def find_people(session: AsyncSession, handles: Collection[str]) -> dict[str, User]:
    """Return the users who have these handles."""
    users = await session.scalars(select(User).where(col(User.handle).in_(handles)))
    return {user.handle: user for user in users}


async def has_other_people(session: AsyncSession, handles: Collection[str]) -> bool:
    """Return whether there is a user with none of these handles."""
    return bool(await session.scalar(select(exists().where(col(User.handle).not_in(handles)))))


async def find_article(session: AsyncSession, external_id: str) -> tuple[UUID, bool] | None:
    """Return the id of an article, and whether it ever had comments.

    A deleted one, too: what was deleted does not come back.
    """
    has_comments = exists().where(col(Comment.article_id) == Article.id)
    row = await session.execute(
        select(col(Article.id), has_comments).where(col(Article.external_id) == external_id)
    )
    found = row.one_or_none()
    return None if found is None else (found[0], found[1])
