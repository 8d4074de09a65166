"""Who is called by a name, and who takes part in a thread."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text
from sqlmodel import col

from api.comments.mentions.parsing import Person
from api.comments.visibility import shows_text
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


async def find_people_of_thread(session: AsyncSession, article_id: UUID) -> list[Person]:
    """Return who wrote under an article or wrote it, at most MAX_PEOPLE."""
    ids = list(await session.scalars(select_people_of_thread(article_id)))
    return await _find_people(session, col(User.id).in_(ids), article_id)


def select_people_of_thread(article_id: UUID) -> CompoundSelect[UUID | None]:
    """Return the statement for the ids of who wrote under an article or wrote it.

    The index is read in steps from one author to the next, not through all that they wrote.
    """
    author_id = col(Comment.author_id)
    in_thread = (
        select(author_id)
        .where(col(Comment.article_id) == article_id, shows_text(), author_id.is_not(None))
        .order_by(author_id)
        .limit(1)
    )
    people = select(in_thread.scalar_subquery().label("author_id")).cte("people", recursive=True)
    last = people.c.author_id
    following = in_thread.where(author_id > last).correlate(people).scalar_subquery()
    people = people.union_all(select(following).where(last.is_not(None)))
    return union(
        select(people.c.author_id).where(people.c.author_id.is_not(None)).limit(MAX_PEOPLE),
        select(col(Article.author_id)).where(
            col(Article.id) == article_id, col(Article.author_id).is_not(None)
        ),
    )


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
