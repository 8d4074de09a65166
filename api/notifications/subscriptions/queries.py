"""Every statement of subscriptions but those that the author of a comment gets by themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles.visibility import is_public
from api.kit.http.pagination import Slice, slice_rows
from models import (
    Article,
    ArticleSubscription,
    SubscriptionLevel,
    TagSubscription,
    User,
    UserSubscription,
)

AnySubscription = ArticleSubscription | UserSubscription | TagSubscription


@dataclass(frozen=True, slots=True)
class FollowedRow:
    """A subscription, and the article or the person that it is about."""

    subscription: AnySubscription
    article: Article | None = None
    user: User | None = None


async def find_of_article(
    session: AsyncSession, user_id: UUID, article_id: UUID
) -> ArticleSubscription | None:
    """Return a person's subscription of an article."""
    return await session.get(ArticleSubscription, (user_id, article_id))


async def find_of_user(
    session: AsyncSession, user_id: UUID, followed_id: UUID
) -> UserSubscription | None:
    """Return a person's subscription of another one."""
    return await session.get(UserSubscription, (user_id, followed_id))


async def find_of_tag(session: AsyncSession, user_id: UUID, tag: str) -> TagSubscription | None:
    """Return a person's subscription of a tag."""
    return await session.get(TagSubscription, (user_id, tag))


async def set_of_article(
    session: AsyncSession,
    user_id: UUID,
    article_id: UUID,
    *,
    level: SubscriptionLevel,
    now: datetime,
) -> None:
    """Choose the level of an article; it is no longer an automatic one."""
    added = insert(ArticleSubscription).values(
        user_id=user_id, article_id=article_id, level=level, is_automatic=False, created_at=now
    )
    chosen = {"level": level, "is_automatic": False}
    await _add_or_change(session, added, ("user_id", "article_id"), chosen)


async def set_of_user(
    session: AsyncSession,
    user_id: UUID,
    followed_id: UUID,
    *,
    level: SubscriptionLevel,
    now: datetime,
) -> None:
    """Choose the level of a person, who is somebody else."""
    added = insert(UserSubscription).values(
        user_id=user_id, followed_id=followed_id, level=level, created_at=now
    )
    await _add_or_change(session, added, ("user_id", "followed_id"), {"level": level})


async def set_of_tag(
    session: AsyncSession, user_id: UUID, tag: str, *, level: SubscriptionLevel, now: datetime
) -> None:
    """Choose the level of a tag."""
    added = insert(TagSubscription).values(user_id=user_id, tag=tag, level=level, created_at=now)
    await _add_or_change(session, added, ("user_id", "tag"), {"level": level})


async def delete_of_article(session: AsyncSession, user_id: UUID, article_id: UUID) -> None:
    """Leave an article without a subscription of the person."""
    await session.execute(
        delete(ArticleSubscription).where(
            col(ArticleSubscription.user_id) == user_id,
            col(ArticleSubscription.article_id) == article_id,
        )
    )


async def delete_of_user(session: AsyncSession, user_id: UUID, followed_id: UUID) -> None:
    """Leave a person without a subscription of the other one."""
    await session.execute(
        delete(UserSubscription).where(
            col(UserSubscription.user_id) == user_id,
            col(UserSubscription.followed_id) == followed_id,
        )
    )


async def delete_of_tag(session: AsyncSession, user_id: UUID, tag: str) -> None:
    """Leave a tag without a subscription of the person."""
    await session.execute(
        delete(TagSubscription).where(
            col(TagSubscription.user_id) == user_id, col(TagSubscription.tag) == tag
        )
    )


async def list_of_articles(
    session: AsyncSession,
    user_id: UUID,
    *,
    level: SubscriptionLevel | None,
    after: UUID | None,
    limit: int,
) -> Slice[FollowedRow]:
    """Return subscriptions of public articles, the newest article first."""
    key = col(ArticleSubscription.article_id)
    statement = (
        select(ArticleSubscription, Article)
        .join(Article, col(Article.id) == key)
        .where(col(ArticleSubscription.user_id) == user_id, is_public())
        .order_by(key.desc())
    )
    if after is not None:
        statement = statement.where(key < after)
    rows = await _list(session, statement, _has(ArticleSubscription.level, level), limit)
    return slice_rows([FollowedRow(row[0], article=row[1]) for row in rows], limit)


async def list_of_users(
    session: AsyncSession,
    user_id: UUID,
    *,
    level: SubscriptionLevel | None,
    after: UUID | None,
    limit: int,
) -> Slice[FollowedRow]:
    """Return subscriptions of people, the newest account first."""
    key = col(UserSubscription.followed_id)
    statement = (
        select(UserSubscription, User)
        .join(User, col(User.id) == key)
        .where(col(UserSubscription.user_id) == user_id)
        .order_by(key.desc())
    )
    if after is not None:
        statement = statement.where(key < after)
    rows = await _list(session, statement, _has(UserSubscription.level, level), limit)
    return slice_rows([FollowedRow(row[0], user=row[1]) for row in rows], limit)


async def list_of_tags(
    session: AsyncSession,
    user_id: UUID,
    *,
    level: SubscriptionLevel | None,
    after: str | None,
    limit: int,
) -> Slice[FollowedRow]:
    """Return subscriptions of tags in the order of the database."""
    key = col(TagSubscription.tag)
    statement = select(TagSubscription).where(col(TagSubscription.user_id) == user_id).order_by(key)
    if after is not None:
        statement = statement.where(key > after)
    rows = await _list(session, statement, _has(TagSubscription.level, level), limit)
    return slice_rows([FollowedRow(row[0]) for row in rows], limit)


def _has(column: Any, level: SubscriptionLevel | None) -> list[ColumnElement[bool]]:
    return [] if level is None else [col(column) == level]


async def _list(
    session: AsyncSession,
    statement: Select[*tuple[Any, ...]],
    where: list[ColumnElement[bool]],
    limit: int,
) -> list[Any]:
    return list((await session.execute(statement.where(*where).limit(limit + 1))).all())


async def _add_or_change(
    session: AsyncSession, added: Insert, keys: tuple[str, ...], chosen: dict[str, Any]
) -> None:
    await session.execute(added.on_conflict_do_update(index_elements=keys, set_=chosen))
