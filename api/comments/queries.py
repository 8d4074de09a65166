"""Every statement of comments but the tree's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    SQLColumnExpression,
    bindparam,
    column,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, Boolean, Integer, Text, Uuid
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.mentions.parsing import Mention
from api.comments.projection import MAX_PAGE_BYTES, MAX_VISIBLE, select_author, select_columns
from api.comments.schemas import FlatOrder
from api.comments.visibility import (
    SHOWS_TEXT_C,
    is_listed,
    is_listed_for,
    is_own_shadowed,
    is_own_unseen,
    is_visible,
    shows_text,
)
from api.kit.http.pagination import Slice
from models import (
    MAX_DEPTH,
    Article,
    Comment,
    CommentRevision,
    CommentState,
    SlowModeTurn,
    User,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComment:
    """What is stored of a reply. PostgreSQL finds out how deep it is."""

    id: UUID
    article_id: UUID
    parent_id: UUID | None
    author_id: UUID | None
    # Where it came from elsewhere, what it was called there.
    external_id: str | None = None
    body: str
    html: str
    mentions: Sequence[Mention]
    version: int
    created_at: datetime
    # Visible or pending: a pending comment is neither listed nor counted.
    state: CommentState = CommentState.VISIBLE
    # Pending by a shadow ban alone: its author may reply to it as if it were visible.
    is_shadowed: bool = False


_INSERT = (
    text(f"""
WITH parent AS (
  SELECT id, ancestor_ids || id AS line, depth FROM comments c
  WHERE id = :parent_id AND article_id = :article_id AND depth < :max_depth
    AND ({SHOWS_TEXT_C} OR :is_shadowed AND c.is_shadowed AND c.author_id = :author_id)
), counted AS (
  UPDATE comments c
  SET descendant_count = c.descendant_count + 1,
      reply_count = c.reply_count + (c.id = parent.id)::int
  FROM parent WHERE c.id = ANY (parent.line) AND :is_visible
), added AS (
  INSERT INTO comments (id, article_id, parent_id, ancestor_ids, depth, author_id, external_id,
                        body, html, mention_count, state, listed, is_announced, is_shadowed,
                        version, published_version, created_at)
  SELECT :id, :article_id, :parent_id, coalesce(p.line, '{{}}'), coalesce(p.depth + 1, 0),
         :author_id, :external_id, :body, :html, cardinality(:starts), :state, :is_visible,
         :is_visible, :is_shadowed, :version, CASE WHEN :is_visible THEN :version END, :now
  FROM (SELECT 1) one LEFT JOIN parent p ON true
  WHERE p.id IS NOT NULL OR :parent_id IS NULL
  RETURNING id, depth
), mentioned AS (
  INSERT INTO comment_mentions (comment_id, start_offset, end_offset, user_id, text)
  SELECT a.id, m.* FROM added a, unnest(:starts, :ends, :people, :texts) AS m
)
SELECT depth FROM added
""")
    .bindparams(
        bindparam("parent_id", type_=Uuid()),
        bindparam("author_id", type_=Uuid()),
        bindparam("external_id", type_=Text()),
        bindparam("state", type_=Text()),
        bindparam("version", type_=BigInteger()),
        bindparam("is_visible", type_=Boolean()),
        bindparam("is_shadowed", type_=Boolean()),
        bindparam("starts", type_=ARRAY(Integer)),
        bindparam("ends", type_=ARRAY(Integer)),
        bindparam("people", type_=ARRAY(Uuid())),
        bindparam("texts", type_=ARRAY(Text)),
    )
    .columns(column("depth"))
)


async def insert_comment(session: AsyncSession, comment: NewComment) -> int | None:
    """Store a comment with its mentions and count it at its ancestors, in one round trip.

    Return its depth, or None when its parent takes no replies. The caller holds the article's lock,
    so nobody else counts at the same time, and counts the comment at the article.
    """
    mentions = comment.mentions
    values = {
        "id": comment.id,
        "max_depth": MAX_DEPTH,
        "article_id": comment.article_id,
        "parent_id": comment.parent_id,
        "author_id": comment.author_id,
        "external_id": comment.external_id,
        "body": comment.body,
        "html": comment.html,
        "version": comment.version,
        "now": comment.created_at,
        "state": comment.state.value,
        "is_visible": is_visible(comment.state),
        "is_shadowed": comment.is_shadowed,
        "starts": [mention.start for mention in mentions],
        "ends": [mention.end for mention in mentions],
        "people": [mention.person.user_id for mention in mentions],
        "texts": [mention.text for mention in mentions],
    }
    depth: int | None = await session.scalar(_INSERT, values)
    return depth


async def take_turn(
    session: AsyncSession, article_id: UUID, user_id: UUID, *, now: datetime, interval: timedelta
) -> datetime | None:
    """Note that a person comments under an article in slow mode.

    Return None, or when they did before if that is less than `interval` ago. Of two requests at
    once the unique key lets one wait for the other.
    """
    mine = {"article_id": article_id, "user_id": user_id}
    added = insert_or_update(SlowModeTurn).values(**mine, last_at=now)
    taken = added.on_conflict_do_update(
        index_elements=list(mine),
        set_={"last_at": now},
        where=col(SlowModeTurn.last_at) <= now - interval,
    ).returning(col(SlowModeTurn.last_at))
    if await session.scalar(taken) is not None:
        return None
    return await session.scalar(select(col(SlowModeTurn.last_at)).filter_by(**mine))


async def find_turn(session: AsyncSession, article_id: UUID, user_id: UUID) -> datetime | None:
    """Return when a person last commented under an article in slow mode."""
    mine = {"article_id": article_id, "user_id": user_id}
    return await session.scalar(select(col(SlowModeTurn.last_at)).filter_by(**mine))


async def find_external_ids(session: AsyncSession, article_id: UUID) -> dict[str, UUID]:
    """Return the ids of an article's comments that came from elsewhere, by their external ids."""
    statement = select(col(Comment.external_id), col(Comment.id)).where(
        col(Comment.article_id) == article_id, col(Comment.external_id).is_not(None)
    )
    return {row.external_id: row.id for row in (await session.execute(statement)).all()}


async def find_comment(
    session: AsyncSession,
    comment_id: UUID,
    *,
    viewer_id: UUID | None = None,
    shadow_banned_id: UUID | None = None,
) -> Comment | None:
    """Return a comment of a public article that the public sees, or that the viewer does.

    A viewer with a shadow ban also sees what the ban withholds.
    """
    is_seen = is_listed() if viewer_id is None else is_listed_for(viewer_id)
    if shadow_banned_id is not None:
        is_seen = or_(is_seen, is_own_unseen(shadow_banned_id))
    statement = (
        select(Comment)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(Comment.id) == comment_id, is_seen, is_public())
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def lock_comment(session: AsyncSession, comment_id: UUID) -> Comment | None:
    """Return a listed comment of a visible article; nobody else changes its row meanwhile."""
    statement = (
        select(Comment)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(Comment.id) == comment_id, is_listed(), is_public())
        .with_for_update(of=Comment, key_share=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def count_votes(
    session: AsyncSession, comment_id: UUID, *, up: int, down: int
) -> tuple[int, int]:
    """Add to a comment's votes; return the sums."""
    statement = (
        update(Comment)
        .where(col(Comment.id) == comment_id)
        .values(up=col(Comment.up) + up, down=col(Comment.down) + down)
        .returning(col(Comment.up), col(Comment.down))
        .execution_options(synchronize_session=False)
    )
    row = (await session.execute(statement)).one()
    return row.up, row.down


async def set_version(
    session: AsyncSession, comment_ids: Sequence[UUID], version: int
) -> tuple[UUID, ...]:
    """Say that comments look different since a version; return those that are comments at all."""
    statement = (
        update(Comment)
        .where(col(Comment.id).in_(comment_ids))
        .values(version=version)
        .returning(col(Comment.id))
        .execution_options(synchronize_session=False)
    )
    return tuple(await session.scalars(statement))


async def find_article_of(session: AsyncSession, comment_id: UUID) -> UUID | None:
    """Return the article that a comment is under, whether or not either is shown."""
    return await session.scalar(
        select(col(Comment.article_id)).where(col(Comment.id) == comment_id)
    )


def add_revision(
    session: AsyncSession, comment: Comment, *, edited_by: UUID, now: datetime
) -> None:
    """Keep the text of a comment that is about to be edited; the next flush writes it."""
    session.add(
        CommentRevision(
            comment_id=comment.id,
            revision=comment.revision,
            body=comment.body,
            html=comment.html,
            edited_by=edited_by,
            created_at=now,
        )
    )


async def find_shown(session: AsyncSession, comment_id: UUID) -> RowMapping | None:
    """Return a listed comment of a visible article as readers see it."""
    rows = await _list_shown(session, is_listed(), col(Comment.id) == comment_id, limit=1)
    return rows.data[0] if rows.data else None


async def list_visible(session: AsyncSession, ids: Collection[UUID]) -> Sequence[RowMapping]:
    """Return the oldest MAX_VISIBLE of these comments whose text everybody sees, if they fit."""
    return list((await session.execute(_VISIBLE, {"ids": list(ids)})).mappings())


async def list_shown(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Return those of some comments that readers see, as far as they fit a response."""
    shown = await _list_shown(
        session, is_listed(), col(Comment.id).in_(ids), descending=True, limit=len(ids)
    )
    return shown.data


async def list_flat(
    session: AsyncSession,
    article_id: UUID,
    *,
    order: FlatOrder,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[RowMapping]:
    """Return visible comments of an article in order of time, as far as they fit a response."""
    return await _list_shown(
        session,
        is_listed(),
        shows_text(),
        col(Comment.article_id) == article_id,
        after=after,
        descending=order is FlatOrder.NEWEST,
        limit=limit,
    )


async def list_by_author(
    session: AsyncSession,
    author_id: UUID,
    *,
    with_shadowed: bool = False,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[RowMapping]:
    """Return a person's visible comments under visible articles, the newest first.

    As far as they fit a response. `with_shadowed`, for nobody but the author, also returns those
    that a shadow ban withholds, as if they were visible.
    """
    is_shown = or_(shows_text(), is_own_shadowed(author_id)) if with_shadowed else shows_text()
    by_author = col(Comment.author_id) == author_id
    rows = await _list_shown(
        session, is_shown, by_author, is_shown=is_shown, after=after, descending=True, limit=limit
    )
    if not with_shadowed:
        return rows
    shown = [cast(RowMapping, {**row, "state": CommentState.VISIBLE}) for row in rows.data]
    return Slice(shown, has_more=rows.has_more)


async def _list_shown(
    session: AsyncSession, *where: ColumnElement[bool], **options: Any
) -> Slice[RowMapping]:
    """Return the comments of `_select_shown`, and whether others follow."""
    rows = (await session.execute(_select_shown(*where, **options))).mappings().all()
    return Slice(rows, has_more=bool(rows) and rows[0]["found"] > len(rows))


def _select_shown(
    *where: ColumnElement[bool],
    is_shown: ColumnElement[bool] | None = None,
    after: tuple[datetime, UUID] | None = None,
    descending: bool = False,
    limit: int,
) -> Select[Any]:
    """Return comments in order of time until one does not fit MAX_PAGE_BYTES; one at least."""

    def order(source: Any) -> list[ColumnElement[Any]]:
        keys = (source.created_at, source.id)
        return [key.desc() if descending else key.asc() for key in keys]

    columns: dict[str, SQLColumnExpression[Any]] = {
        **select_columns(is_shown=is_shown),
        "article_slug": col(Article.slug),
        "article_title": col(Article.title),
    }
    shown: list[Any] = [value.label(name) for name, value in columns.items()]
    found = (
        select(*shown)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(is_public(), *where)
        .order_by(*order(Comment))
        .limit(limit + 1)
    )
    if after is not None:
        position = tuple_(col(Comment.created_at), col(Comment.id))
        found = found.where(position < tuple_(*after) if descending else position > tuple_(*after))
    n = found.subquery("n")
    used = func.sum(n.c.size).over(order_by=order(n.c), rows=(None, 0))
    b = select(n, used.label("used"), func.count().over().label("found")).subquery("b")
    is_author, author_columns = select_author(lambda name: b.c[name])
    return (
        select(b, *(value.label(name) for name, value in author_columns.items()))
        .outerjoin(User, is_author)
        .where(or_(b.c.used <= MAX_PAGE_BYTES, b.c.used == b.c.size))
        .order_by(*order(b.c))
        .limit(limit)
    )


# Composed once: to compose it takes longer than to run it, and each webhook does.
_VISIBLE = _select_shown(
    shows_text(), col(Comment.id).in_(bindparam("ids", expanding=True)), limit=MAX_VISIBLE
)
