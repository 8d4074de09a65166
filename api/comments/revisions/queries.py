"""Every statement that reads revisions; `api.comments.queries` adds them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.projection import MAX_PAGE_BYTES
from api.comments.visibility import (
    is_listed,
    shows_own_text_to,
    shows_text,
    shows_text_to_staff,
)
from api.kit.http.pagination import Slice
from models import Article, Audience, Comment, CommentRevision, ScreeningSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks for revisions."""

    # None for somebody without credentials, or with ones that do not cover their own data.
    user_id: UUID | None
    is_staff: bool


@dataclass(frozen=True, slots=True)
class FoundHistory:
    """What a reader sees of a comment: its present text, and those before."""

    shows_text: bool
    shows_revisions: bool


async def find_audience(session: AsyncSession) -> Audience:
    """Return who may read revisions, besides the author."""
    audience = await session.scalar(select(col(ScreeningSettings.revisions_visible_to)))
    return audience or Audience.NOBODY


async def find_history(
    session: AsyncSession, comment_id: UUID, reader: Reader, audience: Audience
) -> FoundHistory | None:
    """Return what a reader sees of a comment under a public article; None when nothing.

    Whoever may read revisions does so only while they see the text of the comment itself.
    """
    may_read: list[ColumnElement[bool]] = [false()]
    if audience is Audience.EVERYBODY:
        may_read.append(shows_text())
    if reader.is_staff and audience is not Audience.NOBODY:
        may_read.append(shows_text_to_staff())
    if reader.user_id is not None:
        may_read.append(shows_own_text_to(reader.user_id))
    statement = (
        select(shows_text(), or_(*may_read))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(col(Comment.id) == comment_id, or_(is_listed(), *may_read), is_public())
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else FoundHistory(*row)


async def list_revisions(
    session: AsyncSession, comment_id: UUID, *, before: int | None, limit: int
) -> Slice[CommentRevision]:
    """Return texts that a comment had, the newest first, until one does not fit MAX_PAGE_BYTES.

    One at least.
    """
    revision = col(CommentRevision.revision)
    where = [col(CommentRevision.comment_id) == comment_id]
    if before is not None:
        where.append(revision < before)
    size = func.octet_length(col(CommentRevision.body)) + func.octet_length(
        col(CommentRevision.html)
    )
    found = (
        select(revision, size.label("size"))
        .where(*where)
        .order_by(revision.desc())
        .limit(limit + 1)
        .subquery("found")
    )
    used = func.sum(found.c.size).over(order_by=found.c.revision.desc())
    b = select(found, used.label("used"), func.count().over().label("found")).subquery("b")
    statement = (
        select(CommentRevision, b.c.found)
        .join(b, revision == b.c.revision)
        .where(
            col(CommentRevision.comment_id) == comment_id,
            or_(b.c.used <= MAX_PAGE_BYTES, b.c.used == b.c.size),
        )
        .order_by(revision.desc())
        .limit(limit)
    )
    rows = (await session.execute(statement)).all()
    has_more = bool(rows) and rows[0].found > len(rows)
    return Slice([row.CommentRevision for row in rows], has_more=has_more)
