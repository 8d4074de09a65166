"""Every statement of articles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    text,
    true,
    tuple_,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles.schemas import ArticleSort
from api.articles.slugs import is_like_id
from api.articles.visibility import PUBLIC_A, is_public
from api.auth.actor import Actor
from api.kit.http.pagination import Slice, slice_rows
from models import Article, ArticleTag, Handle, TagSettings, User


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article with what is shown beside it."""

    article: Article
    author: User | None
    tags: list[str]


@dataclass(frozen=True, slots=True)
class LockedArticle:
    """What a change of a thread needs to know of its article, whose row is locked."""

    pinned_comment_id: UUID | None


@dataclass(frozen=True, slots=True)
class BumpedThread:
    """An article whose row is locked: its new version, and what decides who may reply."""

    version: int
    is_locked: bool
    closes_at: datetime | None
    is_members_only: bool
    # Seconds between two comments of one person; 0 is off.
    slow_mode_seconds: int


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article in a list, and the value that the list is sorted by."""

    row: ArticleRow
    key: Any


_tags = (
    select(func.array_agg(aggregate_order_by(col(ArticleTag.tag), col(ArticleTag.position))))
    .where(col(ArticleTag.article_id) == col(Article.id))
    .correlate(Article)
    .scalar_subquery()
)

_SORT_COLUMNS = {
    ArticleSort.NEW: "created_at",
    ArticleSort.ACTIVE: "last_activity_at",
    ArticleSort.TOP: "score",
    ArticleSort.HOT: "hot",
}


def refers_to(ref: str | UUID) -> ColumnElement[bool]:
    """Return the predicate of an id or a slug; a slug never looks like an id."""
    if isinstance(ref, UUID):
        return col(Article.id) == ref
    return col(Article.id) == UUID(ref) if is_like_id(ref) else col(Article.slug) == ref


async def find_id(session: AsyncSession, ref: str) -> UUID | None:
    """Return the id of a visible article."""
    return await session.scalar(select(col(Article.id)).where(refers_to(ref), is_public()))


async def find_article(session: AsyncSession, ref: str | UUID) -> ArticleRow | None:
    """Return a visible article by id or slug."""
    # A row that this session changed is read again, with what PostgreSQL computed.
    statement = _select_rows().where(refers_to(ref)).execution_options(populate_existing=True)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else ArticleRow(row[0], row[1], row[2] or [])


async def lock_article(session: AsyncSession, where: ColumnElement[bool]) -> Article | None:
    """Return a visible article whose row nobody else changes until the transaction ends."""
    # As an UPDATE locks: references to the article, which votes and comments make, don't wait.
    statement = select(Article).where(where, is_public()).with_for_update(key_share=True)
    return (await session.scalars(statement)).one_or_none()


async def lock_thread(session: AsyncSession, article_id: UUID) -> LockedArticle | None:
    """Lock a public article's row, as `lock_article` does; None when there is none."""
    statement = (
        select(col(Article.pinned_comment_id))
        .where(col(Article.id) == article_id, is_public())
        .with_for_update(key_share=True)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else LockedArticle(pinned_comment_id=row[0])


async def unpin_comment(session: AsyncSession, article_id: UUID) -> None:
    """Leave an article, whose row the caller has locked, without a pinned comment."""
    statement = (
        update(Article)
        .where(col(Article.id) == article_id)
        .values(pinned_comment_id=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def list_articles(
    session: AsyncSession,
    *,
    sort: ArticleSort,
    tag: str | None,
    author: str | None,
    after: tuple[Any, UUID] | None,
    limit: int,
) -> Slice[ListedArticle]:
    """Return a page of visible articles, the greatest key first.

    With a tag it is read along an index of the tag, otherwise along one of the articles.
    """
    table = Article if tag is None else ArticleTag
    key = col(getattr(table, _SORT_COLUMNS[sort]))
    article_id = col(Article.id) if tag is None else col(ArticleTag.article_id)
    statement = (
        _select_rows().add_columns(key).order_by(key.desc(), article_id.desc()).limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(tuple_(key, article_id) < tuple_(*after))
    if tag is not None:
        is_tagged = and_(col(ArticleTag.article_id) == col(Article.id), col(ArticleTag.shown))
        statement = statement.join(ArticleTag, is_tagged).where(col(ArticleTag.tag) == tag)
    if author is not None:
        owner = select(col(Handle.user_id)).where(col(Handle.handle) == author).scalar_subquery()
        statement = statement.where(col(Article.author_id) == owner)
    rows = (await session.execute(statement)).all()
    listed = [
        ListedArticle(ArticleRow(article, user, tags or []), position)
        for article, user, tags, position in rows
    ]
    return slice_rows(listed, limit)


async def find_slugs(session: AsyncSession, slugs: Collection[str]) -> set[str]:
    """Return which of these slugs are taken, by deleted articles too."""
    return set(await session.scalars(select(col(Article.slug)).where(col(Article.slug).in_(slugs))))


_BUMPED = tuple(field.name for field in fields(BumpedThread))
# Every change of a thread asks for it: as text, it costs half of what it costs composed.
_BUMP_VERSION = (
    text(f"""
UPDATE articles a
SET version = version + 1,
    comment_count = comment_count + :comments,
    reply_count = reply_count + :replies,
    last_activity_at = greatest(last_activity_at, :active_at)  -- which passes over NULL
WHERE id = :article_id AND {PUBLIC_A}
RETURNING {", ".join(_BUMPED)}
""")
    .bindparams(
        bindparam("active_at", type_=DateTime(timezone=True)),
    )
    .columns(*(column(name) for name in _BUMPED))
)


async def bump_version(
    session: AsyncSession,
    article_id: UUID,
    *,
    comments: int = 0,
    replies: int = 0,
    active_at: datetime | None = None,
) -> BumpedThread | None:
    """Take the article's row lock and its next version; count what came or went under it.

    Return the thread as it is now, or None when it is gone. Whoever holds the lock is alone with
    the thread until the transaction ends, so versions have no gaps.
    """
    values = {
        "article_id": article_id,
        "comments": comments,
        "replies": replies,
        "active_at": active_at,
    }
    row = (await session.execute(_BUMP_VERSION, values)).one_or_none()
    return None if row is None else BumpedThread(*row)


async def count_votes(
    session: AsyncSession, article_id: UUID, *, up: int, down: int
) -> tuple[int, int]:
    """Add to an article's votes; return the sums."""
    statement = (
        update(Article)
        .where(col(Article.id) == article_id)
        .values(up=col(Article.up) + up, down=col(Article.down) + down)
        .returning(col(Article.up), col(Article.down))
        .execution_options(synchronize_session=False)
    )
    row = (await session.execute(statement)).one()
    return row.up, row.down


async def place_actor(session: AsyncSession, actor: Actor, article_id: UUID) -> Actor:
    """Return the actor as they stand under an article; it asks for moderators of tags only."""
    tags = await find_tags(session, article_id) if actor.moderated_tags else ()
    return actor.at(article_id, tags)


async def place_at(session: AsyncSession, actor: Actor, where: ColumnElement[bool]) -> Actor:
    """Return the actor as they stand under a visible article; it asks for moderators only."""
    if not (actor.moderated_article_ids or actor.moderated_tags):
        return actor
    article_id = await session.scalar(select(col(Article.id)).where(where, is_public()))
    return actor if article_id is None else await place_actor(session, actor, article_id)


async def find_tags(session: AsyncSession, article_id: UUID) -> list[str]:
    """Return an article's tags in its author's order."""
    statement = (
        select(col(ArticleTag.tag))
        .where(col(ArticleTag.article_id) == article_id)
        .order_by(col(ArticleTag.position))
    )
    return list(await session.scalars(statement))


async def replace_tags(session: AsyncSession, article_id: UUID, tags: Sequence[str]) -> None:
    """Give an article exactly these tags, in this order."""
    await session.execute(delete(ArticleTag).where(col(ArticleTag.article_id) == article_id))
    given = values(column("tag", Text()), column("position", Integer()), name="given").data(
        [(tag, position) for position, tag in enumerate(tags)]
    )
    keys = [col(getattr(Article, name)) for name in _SORT_COLUMNS.values()]
    copied = select(col(Article.id), given.c.tag, given.c.position, *keys, is_public()).where(
        col(Article.id) == article_id
    )
    if tags:
        names = ["article_id", "tag", "position", *_SORT_COLUMNS.values(), "shown"]
        await session.execute(insert(ArticleTag).from_select(names, copied.join(given, true())))


async def find_tag_settings(session: AsyncSession, tag: str) -> TagSettings | None:
    """Return the settings of a tag that has some."""
    return await session.get(TagSettings, tag)


async def lock_tag_settings(session: AsyncSession, tag: str, now: datetime) -> TagSettings:
    """Return the settings of a tag, whose row nobody else changes until the transaction ends.

    A tag without settings gets the default ones, as revision 0.
    """
    added = insert_or_ignore(TagSettings).values(tag=tag, revision=0, updated_at=now)
    await session.execute(added.on_conflict_do_nothing())
    statement = select(TagSettings).where(col(TagSettings.tag) == tag).with_for_update()
    return (await session.scalars(statement)).one()


def _select_rows() -> Select[Any]:
    return (
        select(Article, User, _tags)
        .outerjoin(User, col(User.id) == col(Article.author_id))
        .where(is_public())
    )
