"""Follow and mute people, and list what is followed."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.kit.http.pagination import PageInfo, Slice, decode_cursor, encode_cursor
from api.kit.signing import Signer
from api.notifications.subscriptions import queries
from api.notifications.subscriptions.errors import OwnSubscription
from api.notifications.subscriptions.queries import FollowedRow
from api.notifications.subscriptions.schemas import SubscriptionType
from api.users import queries as users
from api.users.errors import UserNotFound
from models import (
    ArticleSubscription,
    SubscriptionLevel,
    TagSubscription,
    UserSubscription,
)


async def get_article_id(session: AsyncSession, ref: str) -> UUID:
    """Return the id of a public article. Raises ArticleNotFound."""
    article_id = await articles.find_id(session, ref)
    if article_id is None:
        raise ArticleNotFound
    return article_id


async def get_other(session: AsyncSession, actor: Actor, handle: str) -> UUID:
    """Return the id of another person. Raises UserNotFound or OwnSubscription."""
    user = await users.find_user(session, handle)
    if user is None:
        raise UserNotFound
    if user.id == actor.id:
        raise OwnSubscription
    return user.id


async def list_subscriptions(
    session: AsyncSession,
    signer: Signer,
    actor: Actor,
    *,
    kind: SubscriptionType,
    level: SubscriptionLevel | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[FollowedRow], PageInfo]:
    """Return a page of what a person follows or muted. Raises InvalidCursor."""
    name = f"subscriptions {actor.id} {kind} {level}"
    after: str | None = None
    after_id: UUID | None = None
    if cursor is not None:
        [after] = decode_cursor(signer, name, cursor)
        after_id = None if kind is SubscriptionType.TAG else UUID(after)
    rows: Slice[FollowedRow]
    match kind:
        case SubscriptionType.ARTICLE:
            rows = await queries.list_of_articles(
                session, actor.id, level=level, after=after_id, limit=limit
            )
        case SubscriptionType.USER:
            rows = await queries.list_of_users(
                session, actor.id, level=level, after=after_id, limit=limit
            )
        case SubscriptionType.TAG:
            rows = await queries.list_of_tags(
                session, actor.id, level=level, after=after, limit=limit
            )
    next_cursor = None
    if rows.has_more:
        next_cursor = encode_cursor(signer, name, [_key_of(rows.data[-1])])
    return list(rows.data), PageInfo(next_cursor=next_cursor, has_more=rows.has_more)


def _key_of(row: FollowedRow) -> str:
    match row.subscription:
        case ArticleSubscription(article_id=article_id):
            return str(article_id)
        case UserSubscription(followed_id=followed_id):
            return str(followed_id)
        case TagSubscription(tag=tag):
            return tag
