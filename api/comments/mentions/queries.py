"""Who is called by a name, and who takes part in a thread."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, any_, exists, func, literal, or_, select, text, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text, Uuid
from sqlmodel import col

from api.comments.mentions.parsing import Person
from api.comments.visibility import SHOWS_TEXT_C, shows_text
from models import Article, Comment, Handle, User

# People looked up for one text; far more than it can mention.
MAX_PEOPLE = 500


async def find_people(
    session: AsyncSession, keys: Collection[str], article_id: UUID
) -> list[Person]:
    """Return everybody who is or was called by one of these names, marking those of the thread."""
    names = literal(list(keys), ARRAY(Text))
    named = union(
        select(col(User.id)).where(col(User.name_key) == any_(names)),
        select(col(Handle.user_id)).where(col(Handle.handle) == any_(names)),
    )
    return await _find_people(session, col(User.id).in_(named), article_id)


_PEOPLE_OF_THREAD = text(f"""
WITH RECURSIVE people AS (
  (SELECT author_id FROM comments c
   WHERE article_id = :article_id AND {SHOWS_TEXT_C} AND author_id IS NOT NULL
   ORDER BY author_id LIMIT 1)
  UNION ALL
  SELECT (SELECT c.author_id FROM comments c
          WHERE c.article_id = :article_id AND {SHOWS_TEXT_C} AND c.author_id > p.author_id
          ORDER BY c.author_id LIMIT 1)
  FROM people p WHERE p.author_id IS NOT NULL
)
(SELECT author_id AS id FROM people WHERE author_id IS NOT NULL LIMIT :limit)
UNION SELECT author_id FROM articles WHERE id = :article_id AND author_id IS NOT NULL
""").columns(id=Uuid())


async def find_people_of_thread(session: AsyncSession, article_id: UUID) -> list[Person]:
    """Return who wrote under an article or wrote it, at most MAX_PEOPLE.

    The index is read in steps from one author to the next, not through all that they wrote.
    """
    values = {"article_id": article_id, "limit": MAX_PEOPLE}
    ids = list(await session.scalars(_PEOPLE_OF_THREAD, values))
    return await _find_people(session, col(User.id).in_(ids), article_id)


async def _find_people(
    session: AsyncSession, where: ColumnElement[bool], article_id: UUID
) -> list[Person]:
    handles = (
        select(func.array_agg(col(Handle.handle)))
        .where(col(Handle.user_id) == col(User.id))
        .scalar_subquery()
    )
    wrote_comment = exists().where(
        col(Comment.article_id) == article_id,
        col(Comment.author_id) == col(User.id),
        shows_text(),
    )
    wrote_article = exists().where(
        col(Article.id) == article_id, col(Article.author_id) == col(User.id)
    )
    statement = (
        select(User, handles, or_(wrote_comment, wrote_article))
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
