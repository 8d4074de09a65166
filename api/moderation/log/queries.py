"""Statements of the log. It has no update and no delete: a trigger refuses both."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Uuid, any_, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.articles.visibility import is_public
from api.kit.http.pagination import Slice, slice_rows
from models import Article, Comment, LogAction, ModerationLogEntry, ScreeningSettings, User

# What the public log shows: what changed whether readers see a comment that they had seen.
_PUBLIC_ACTIONS = (LogAction.HIDE, LogAction.REMOVE, LogAction.RESTORE, LogAction.UNDO)
_ENTRY = (
    *("id", "action", "comment_id", "article_id", "reason", "note", "before", "after"),
    *("undoes_id", "created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which entries are listed; None is any."""

    action: LogAction | None = None
    actor_id: UUID | None = None
    comment_id: UUID | None = None
    article_id: UUID | None = None
    user_id: UUID | None = None


async def add_entries(session: AsyncSession, entries: Collection[ModerationLogEntry]) -> None:
    """Write entries; other rows can refer to them from then on."""
    session.add_all(entries)
    await session.flush()


async def find_newest(
    session: AsyncSession, comment_ids: Collection[UUID]
) -> dict[UUID, ModerationLogEntry]:
    """Return the newest entry of each comment that has one."""
    other = aliased(ModerationLogEntry, name="other")
    newest_id = (
        select(col(other.id))
        .where(col(other.comment_id) == col(ModerationLogEntry.comment_id))
        .order_by(col(other.created_at).desc(), col(other.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(ModerationLogEntry).where(
        col(ModerationLogEntry.comment_id) == any_(literal(list(comment_ids), ARRAY(Uuid))),
        col(ModerationLogEntry.id) == newest_id,
    )
    newest = {}
    for log_entry in await session.scalars(statement):
        if log_entry.comment_id is not None:
            newest[log_entry.comment_id] = log_entry
    return newest


async def list_entries(
    session: AsyncSession,
    wanted: LogFilter,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[RowMapping]:
    """Return entries with the people in them, the newest first."""
    actor, affected = aliased(User, name="actor"), aliased(User, name="affected")
    filters = {
        "action": wanted.action,
        "actor_id": wanted.actor_id,
        "comment_id": wanted.comment_id,
        "article_id": wanted.article_id,
        "user_id": wanted.user_id,
    }
    where = [
        col(getattr(ModerationLogEntry, name)) == value
        for name, value in filters.items()
        if value is not None
    ]
    people: list[ColumnElement[Any]] = [
        col(getattr(person, name)).label(f"{role}_{name}")
        for role, person in (("actor", actor), ("affected", affected))
        for name in ("id", "handle", "display_name", "avatar_url")
    ]
    statement = (
        select(*(col(getattr(ModerationLogEntry, name)) for name in _ENTRY), *people)
        .outerjoin(actor, col(actor.id) == col(ModerationLogEntry.actor_id))
        .outerjoin(affected, col(affected.id) == col(ModerationLogEntry.user_id))
        .where(*where, *_is_before(after))
        .order_by(col(ModerationLogEntry.created_at).desc(), col(ModerationLogEntry.id).desc())
        .limit(limit + 1)
    )
    return slice_rows((await session.execute(statement)).mappings().all(), limit)


async def list_public_entries(
    session: AsyncSession, *, after: tuple[datetime, UUID] | None, limit: int
) -> Slice[RowMapping]:
    """Return what was hidden, removed and shown again under public articles, the newest first.

    Comments that were never shown are left out: nobody missed them.
    """
    statement = (
        select(
            col(ModerationLogEntry.id),
            col(ModerationLogEntry.action),
            col(ModerationLogEntry.comment_id),
            col(ModerationLogEntry.reason),
            col(ModerationLogEntry.undoes_id),
            col(ModerationLogEntry.created_at),
            col(ModerationLogEntry.actor_id).is_(None).label("is_automatic"),
            col(ModerationLogEntry.after)["state"].as_string().label("state_after"),
            col(Article.id).label("article_id"),
            col(Article.slug),
            col(Article.title),
        )
        .join(Comment, col(Comment.id) == col(ModerationLogEntry.comment_id))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(
            is_public(),
            col(Comment.is_announced),
            col(ModerationLogEntry.action).in_(_PUBLIC_ACTIONS),
            *_is_before(after),
        )
        .order_by(col(ModerationLogEntry.created_at).desc(), col(ModerationLogEntry.id).desc())
        .limit(limit + 1)
    )
    return slice_rows((await session.execute(statement)).mappings().all(), limit)


async def is_log_public(session: AsyncSession) -> bool:
    """Return whether everybody may read the log of removals."""
    return bool(await session.scalar(select(col(ScreeningSettings.public_log))))


def _is_before(position: tuple[datetime, UUID] | None) -> list[ColumnElement[bool]]:
    if position is None:
        return []
    keys = tuple_(col(ModerationLogEntry.created_at), col(ModerationLogEntry.id))
    return [keys < tuple_(*position)]
