"""People by their names, the people of a thread, and who is mentioned by a comment."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    any_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text, Uuid
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.mentions.parsing import Mention, Person
from api.comments.visibility import shows_text
from models import Article, Comment, CommentMention, Handle, User

# People looked up for one text; far more than it can mention.
MAX_PEOPLE = 500


async def find_people(
    session: AsyncSession, keys: Collection[str], article_id: UUID
) -> list[Person]:
    """Return everybody who has or had one of these names, and whether they are in the thread."""
    names = literal(list(keys), ARRAY(Text))
    named = union(
        select(col(User.id)).where(col(User.name_key) == any_(names)),
        select(col(Handle.user_id)).where(col(Handle.handle) == any_(names)),
    )
    return await _find_people(session, col(User.id).in_(named), article_id)


async def find_people_of_thread(session: AsyncSession, article_id: UUID) -> list[Person]:
    """Return the authors of an article and of its visible comments, at most MAX_PEOPLE."""
    ids = list(await session.scalars(select_people_of_thread(article_id)))
    return await _find_people(session, col(User.id).in_(ids), article_id)


def select_people_of_thread(article_id: UUID) -> CompoundSelect[UUID | None]:
    """Return the statement for the ids of an article's author and of those who commented.

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


async def find_mentioned_ids(
    session: AsyncSession, comment_ids: Collection[UUID], *, edited_since: datetime | None = None
) -> dict[UUID, tuple[UUID | None, Sequence[UUID]]]:
    """Return the author of each comment that mentions people, and these in the order of the text.

    Of comments in whatever state; or of those only that were edited since a moment.
    """
    statement = (
        select(
            col(Comment.id),
            col(Comment.author_id),
            func.array_agg(
                aggregate_order_by(col(CommentMention.user_id), col(CommentMention.start_offset))
            ),
        )
        .join(CommentMention, col(CommentMention.comment_id) == col(Comment.id))
        .where(col(Comment.id) == any_(literal(list(comment_ids), ARRAY(Uuid))))
        .group_by(col(Comment.id))
    )
    if edited_since is not None:
        statement = statement.where(col(Comment.edited_at) >= edited_since)
    return {
        comment_id: (author_id, mentioned)
        for comment_id, author_id, mentioned in (await session.execute(statement)).all()
    }


async def find_people_by_prefix(
    session: AsyncSession, prefix: str, *, article_id: UUID | None, limit: int
) -> list[User]:
    """Return people whose handle or display name begins with a name key.

    People of the article's thread come first, then those whose handle matches, then the others. It
    costs `limit` entries of two indexes and the comments of one thread, however many people there
    are: 3 ms among 300,000, and 65 ms more in a thread of 50,000 comments.
    """
    by_handle: Select[UUID, int] = (
        select(col(User.id), literal(1).label("place"))
        .join(Handle, col(Handle.handle) == col(User.handle))
        .where(_begins_with(Handle.handle, prefix))
        .order_by(text("handles.handle USING ~<~"))
        .limit(limit)
    )
    by_name = (
        select(col(User.id), literal(2))
        .where(_begins_with(User.name_key, prefix))
        .order_by(text("users.name_key USING ~<~"))
        .limit(limit)
    )
    branches = [by_handle, by_name]
    if article_id is not None:
        authors = union_all(
            select(col(Comment.author_id)).where(
                col(Comment.article_id) == article_id, shows_text()
            ),
            select(col(Article.author_id)).where(col(Article.id) == article_id),
        )
        in_thread = (
            select(col(User.id), literal(0))
            .where(
                col(User.id).in_(authors),
                _begins_with(User.handle, prefix) | _begins_with(User.name_key, prefix),
            )
            .order_by(col(User.handle))
            .limit(limit)
        )
        branches.append(in_thread)
    found = union_all(*branches).subquery()
    ranked = select(found.c.id, func.min(found.c.place).label("place")).group_by(found.c.id)
    first = ranked.subquery()
    statement = (
        select(User)
        .join(first, first.c.id == col(User.id))
        .order_by(first.c.place, col(User.handle))
        .limit(limit)
    )
    return list(await session.scalars(statement))


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


def _begins_with(column: str, prefix: str) -> ColumnElement[bool]:
    """Compare as the indexes of names do, byte by byte, so that a range of one is enough.

    LIKE would need its pattern when the statement is planned.
    """
    end = prefix + "\U0010ffff"
    return and_(col(column).op("~>=~")(prefix), col(column).op("~<~")(end))


async def replace_mentions(
    session: AsyncSession, comment: Comment, mentions: Sequence[Mention]
) -> set[UUID]:
    """Give a comment exactly these mentions; return the ids of those mentioned before."""
    statement = (
        delete(CommentMention)
        .where(col(CommentMention.comment_id) == comment.id)
        .returning(col(CommentMention.user_id))
    )
    before = set(await session.scalars(statement))
    if mentions:
        await session.execute(insert(CommentMention), _mention_rows(comment.id, mentions))
    comment.mention_count = len(mentions)
    return before


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


async def find_articles_of_person(
    session: AsyncSession, user_id: UUID, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Return articles that show a person, as author or by a mention, in order of id."""
    shows = union(
        select(col(Comment.article_id)).where(col(Comment.author_id) == user_id, shows_text()),
        select(col(Comment.article_id))
        .join(CommentMention, col(CommentMention.comment_id) == col(Comment.id))
        .where(col(CommentMention.user_id) == user_id),
        select(col(Article.id)).where(col(Article.author_id) == user_id, is_public()),
    ).subquery()
    (article_id,) = shows.c
    statement = select(article_id).order_by(article_id).limit(limit)
    if after is not None:
        statement = statement.where(article_id > after)
    return list(await session.scalars(statement))
