"""Every statement of comments but the tree's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, delete, exists, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, Text, Uuid
from sqlmodel import col

from api.articles.queries import refers_to, visible
from api.comments.mentions import Mention, Person
from api.comments.projection import AUTHOR_COLUMNS, COLUMNS, JOIN_AUTHOR
from api.comments.schemas import FlatOrder
from models import MAX_DEPTH, Article, Comment, CommentMention, CommentState, Handle, User

# People looked up for the names of one text; far more than one text can mention.
MAX_PEOPLE = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reply shall stand."""

    article_id: UUID
    is_locked: bool
    parent: Comment | None


async def find_place(session: AsyncSession, article: str, parent_id: UUID | None) -> Place | None:
    """Return a visible article and the listed comment to reply to, whatever article that is of."""
    statement = (
        select(col(Article.id), col(Article.is_locked), Comment)
        .outerjoin(Comment, (col(Comment.id) == parent_id) & col(Comment.listed))
        .where(refers_to(article), visible())
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Place(row[0], row[1], row[2])


_INSERT = text("""
WITH parent AS (
  SELECT id, ancestor_ids || id AS line, depth FROM comments
  WHERE id = :parent_id AND state = 'visible' AND depth < :max_depth
), counted AS (
  UPDATE comments c
  SET descendant_count = c.descendant_count + 1,
      reply_count = c.reply_count + (c.id = parent.id)::int
  FROM parent WHERE c.id = ANY (parent.line)
), added AS (
  INSERT INTO comments (id, article_id, parent_id, ancestor_ids, depth, author_id, external_id,
                        body, html, mention_count, state, listed, version, created_at)
  SELECT :id, :article_id, :parent_id, coalesce(p.line, '{}'), coalesce(p.depth + 1, 0),
         :author_id, :external_id, :body, :html, cardinality(:starts), 'visible', true,
         :version, :now
  FROM (SELECT 1) one LEFT JOIN parent p ON true
  WHERE p.id IS NOT NULL OR :parent_id IS NULL
  RETURNING id, depth
), mentioned AS (
  INSERT INTO comment_mentions (comment_id, start_offset, end_offset, user_id, text)
  SELECT a.id, m.* FROM added a, unnest(:starts, :ends, :people, :texts) AS m
)
SELECT depth FROM added
""").bindparams(
    bindparam("parent_id", type_=Uuid()),
    bindparam("author_id", type_=Uuid()),
    bindparam("external_id", type_=Text()),
    bindparam("starts", type_=ARRAY(Integer)),
    bindparam("ends", type_=ARRAY(Integer)),
    bindparam("people", type_=ARRAY(Uuid())),
    bindparam("texts", type_=ARRAY(Text)),
)


async def insert_comment(
    session: AsyncSession, comment: Comment, mentions: Sequence[Mention]
) -> int | None:
    """Store a comment with its mentions and count it at its ancestors, in one round trip.

    Return its depth, or None when the parent was taken back meanwhile. The caller holds the
    article's lock, so nobody else counts at the same time.
    """
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
        "starts": [mention.start for mention in mentions],
        "ends": [mention.end for mention in mentions],
        "people": [mention.person.user_id for mention in mentions],
        "texts": [mention.text for mention in mentions],
    }
    depth: int | None = await session.scalar(_INSERT, values)
    return depth


async def find_external_ids(session: AsyncSession, article_id: UUID) -> dict[str, UUID]:
    """Return the ids of an article's comments that came from elsewhere, by their external ids."""
    statement = select(col(Comment.external_id), col(Comment.id)).where(
        col(Comment.article_id) == article_id, col(Comment.external_id).is_not(None)
    )
    return {row.external_id: row.id for row in (await session.execute(statement)).all()}


async def find_comment(session: AsyncSession, comment_id: UUID) -> Comment | None:
    """Return a listed comment of a visible article."""
    statement = (
        select(Comment)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(Comment.id) == comment_id, col(Comment.listed), visible())
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def find_article_of(session: AsyncSession, comment_id: UUID) -> UUID | None:
    """Return the article that a comment is under, whether or not either is shown."""
    return await session.scalar(
        select(col(Comment.article_id)).where(col(Comment.id) == comment_id)
    )


async def find_ancestors(session: AsyncSession, comment: Comment) -> list[Comment]:
    """Return the ancestors, from the parent up to the root."""
    statement = (
        select(Comment)
        .where(col(Comment.id).in_(comment.ancestor_ids))
        .order_by(col(Comment.depth).desc())
    )
    return list(await session.scalars(statement))


async def update_text(
    session: AsyncSession, comment: Comment, mentions: Sequence[Mention], *, seen: int
) -> bool:
    """Store body, html, version and edited_at if revision `seen` is still the newest."""
    statement = (
        update(Comment)
        .where(
            col(Comment.id) == comment.id,
            col(Comment.revision) == seen,
            col(Comment.state) == CommentState.VISIBLE,
        )
        .values(
            body=comment.body,
            html=comment.html,
            mention_count=len(mentions),
            version=comment.version,
            revision=seen + 1,
            edited_at=comment.edited_at,
        )
        .returning(col(Comment.id))
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(statement)).one_or_none() is None:
        return False
    await session.execute(
        delete(CommentMention).where(col(CommentMention.comment_id) == comment.id)
    )
    if mentions:
        await session.execute(insert(CommentMention), _mention_rows(comment.id, mentions))
    return True


async def find_mentioned_ids(session: AsyncSession, comment_id: UUID) -> set[UUID]:
    """Return whom a comment mentions."""
    statement = select(col(CommentMention.user_id)).where(
        col(CommentMention.comment_id) == comment_id
    )
    return set(await session.scalars(statement))


async def find_people(
    session: AsyncSession, keys: Collection[str], article_id: UUID
) -> list[Person]:
    """Return everybody who is or was called by one of these names, marking those of the thread."""
    named = or_(
        col(User.name_key).in_(keys),
        exists().where(col(Handle.user_id) == col(User.id), col(Handle.handle).in_(keys)),
    )
    return await _find_people(session, named, article_id)


async def find_people_of_thread(session: AsyncSession, article_id: UUID) -> list[Person]:
    """Return who wrote under an article or wrote it, the first MAX_PEOPLE by handle."""
    return await _find_people(session, _in_thread(article_id), article_id)


async def _find_people(session: AsyncSession, where: Any, article_id: UUID) -> list[Person]:
    handles = (
        select(text("array_agg(handles.handle)"))
        .select_from(Handle)
        .where(col(Handle.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery()
    )
    statement = (
        select(User, handles, _in_thread(article_id))
        .where(where)
        .order_by(col(User.handle))
        .limit(MAX_PEOPLE)
    )
    return [
        Person(
            user_id=user.id,
            handle=user.handle,
            display_name=user.display_name,
            avatar_url=user.avatar_url,
            handles=frozenset(had),
            in_thread=in_thread,
        )
        for user, had, in_thread in (await session.execute(statement)).all()
    ]


def _in_thread(article_id: UUID) -> Any:
    wrote_comment = exists().where(
        col(Comment.article_id) == article_id,
        col(Comment.author_id) == col(User.id),
        col(Comment.state) == CommentState.VISIBLE,
    )
    wrote_article = exists().where(
        col(Article.id) == article_id, col(Article.author_id) == col(User.id)
    )
    return or_(wrote_comment, wrote_article)


async def find_shown(session: AsyncSession, comment_id: UUID) -> RowMapping | None:
    """Return a listed comment of a visible article as readers see it."""
    rows = await _find_shown(session, "c.listed AND c.id = :id", "1", {"id": comment_id}, 1)
    return rows[0] if rows else None


async def list_flat(
    session: AsyncSession,
    article_id: UUID,
    *,
    order: FlatOrder,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return visible comments of an article in order of time."""
    where = "c.listed AND c.state = 'visible' AND c.article_id = :article_id"
    values: dict[str, Any] = {"article_id": article_id}
    if after is not None:
        comparison = ">" if order is FlatOrder.OLDEST else "<"
        where += f" AND (c.created_at, c.id) {comparison} (:after_at, :after_id)"
        values |= {"after_at": after[0], "after_id": after[1]}
    direction = "ASC" if order is FlatOrder.OLDEST else "DESC"
    by = f"{{}}.created_at {direction}, {{}}.id {direction}"
    return await _find_shown(session, where, by, values, limit)


async def list_by_author(
    session: AsyncSession,
    author_id: UUID,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return a person's visible comments under visible articles, the newest first."""
    where = "c.state = 'visible' AND c.author_id = :author_id"
    values: dict[str, Any] = {"author_id": author_id}
    if after is not None:
        where += " AND (c.created_at, c.id) < (:after_at, :after_id)"
        values |= {"after_at": after[0], "after_id": after[1]}
    by = "{}.created_at DESC, {}.id DESC"
    return await _find_shown(session, where, by, values, limit)


async def _find_shown(
    session: AsyncSession, where: str, by: str, values: dict[str, Any], limit: int
) -> Sequence[RowMapping]:
    statement = text(f"""
SELECT n.*, {AUTHOR_COLUMNS} FROM (
  SELECT {COLUMNS} FROM comments c JOIN articles a ON a.id = c.article_id
  WHERE a.deleted_at IS NULL AND {where}
  ORDER BY {by.format("c", "c")} LIMIT :limit
) n {JOIN_AUTHOR} ORDER BY {by.format("n", "n")}
""").columns(mentions=JSONB)
    result = await session.execute(statement, {**values, "limit": limit})
    return result.mappings().all()


async def find_articles_of_person(
    session: AsyncSession, user_id: UUID, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Return visible articles in whose threads a person wrote or is mentioned, in order of id."""
    wrote = exists().where(
        col(Comment.article_id) == col(Article.id), col(Comment.author_id) == user_id
    )
    is_mentioned = exists().where(
        col(Comment.article_id) == col(Article.id),
        col(CommentMention.comment_id) == col(Comment.id),
        col(CommentMention.user_id) == user_id,
    )
    statement = (
        select(col(Article.id))
        .where(visible(), or_(wrote, is_mentioned, col(Article.author_id) == user_id))
        .order_by(col(Article.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(Article.id) > after)
    return list(await session.scalars(statement))


def _mention_rows(comment_id: UUID, mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    return [
        {
            "comment_id": comment_id,
            "start_offset": mention.start,
            "end_offset": mention.end,
            "user_id": mention.person.user_id,
            "text": mention.text,
        }
        for mention in mentions
    ]
