"""Every statement of appeals, and of the decisions that a person is told of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.kit.http.pagination import Slice, slice_rows
from models import (
    TOLD,
    Appeal,
    AppealState,
    CommentState,
    ModerationLogEntry,
    Sanction,
    User,
)

# A comment that gets into one of these is kept from readers.
_WITHHELD = (CommentState.HIDDEN.value, CommentState.REMOVED.value)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision, the sanction that it made, the appeal against it, and whether it was undone."""

    log_entry: ModerationLogEntry
    sanction: Sanction | None
    appeal: Appeal | None
    is_undone: bool


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal, who appeals, and the decision with who made it."""

    appeal: Appeal
    person: User
    log_entry: ModerationLogEntry
    sanction: Sanction | None
    decided_by: User | None


async def find_decision(session: AsyncSession, user_id: UUID, log_id: UUID) -> DecisionRow | None:
    """Return a decision that a person is told of."""
    statement = _select_decisions(user_id).where(col(ModerationLogEntry.id) == log_id)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else DecisionRow(*row)


async def list_decisions(
    session: AsyncSession, user_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> Slice[DecisionRow]:
    """Return the decisions that a person is told of, the newest first."""
    position = tuple_(col(ModerationLogEntry.created_at), col(ModerationLogEntry.id))
    statement = (
        _select_decisions(user_id)
        .order_by(col(ModerationLogEntry.created_at).desc(), col(ModerationLogEntry.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(position < tuple_(*after))
    rows = [DecisionRow(*row) for row in (await session.execute(statement)).all()]
    return slice_rows(rows, limit)


async def add_appeal(session: AsyncSession, appeal: Appeal) -> None:
    """Store an appeal. A violation of `uq_appeals_log_id` says that there is one."""
    session.add(appeal)
    await session.flush()


async def lock_appeal(session: AsyncSession, appeal_id: UUID) -> Appeal | None:
    """Return an appeal that nobody else changes until the transaction ends."""
    statement = select(Appeal).where(col(Appeal.id) == appeal_id).with_for_update()
    return (await session.scalars(statement)).one_or_none()


async def find_appeal(session: AsyncSession, appeal_id: UUID) -> AppealRow | None:
    """Return an appeal as staff see it."""
    statement = _select_appeals(col(Appeal.id) == appeal_id)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else AppealRow(*row)


async def list_appeals(
    session: AsyncSession,
    outcome: AppealState,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[AppealRow]:
    """Return the appeals in a state, the oldest first."""
    statement = (
        _select_appeals(col(Appeal.outcome) == outcome)
        .order_by(col(Appeal.created_at), col(Appeal.id))
        .limit(limit + 1)
    )
    if after is not None:
        position = tuple_(col(Appeal.created_at), col(Appeal.id))
        statement = statement.where(position > tuple_(*after))
    rows = [AppealRow(*row) for row in (await session.execute(statement)).all()]
    return slice_rows(rows, limit)


def _select_decisions(user_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select what was decided about a person's comments and about the person.

    Not what the person is not told of: notes, shadow bans, pre-moderation.
    """
    entry = ModerationLogEntry
    undoing = aliased(ModerationLogEntry)
    is_undone = exists().where(col(undoing.undoes_id) == col(entry.id))
    after, before = col(entry.after)["state"], col(entry.before)["state"]
    withholds = and_(
        col(entry.comment_id).is_not(None),
        after.as_string().in_(_WITHHELD),
        after.as_string().is_distinct_from(before.as_string()),
    )
    return (
        select(entry, Sanction, Appeal, is_undone)
        .outerjoin(Sanction, col(Sanction.log_id) == col(entry.id))
        .outerjoin(Appeal, col(Appeal.log_id) == col(entry.id))
        .where(col(entry.user_id) == user_id, or_(withholds, col(Sanction.kind).in_(TOLD)))
    )


def _select_appeals(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    person, moderator = aliased(User), aliased(User)
    return (
        select(Appeal, person, ModerationLogEntry, Sanction, moderator)
        .join(person, col(person.id) == col(Appeal.user_id))
        .join(ModerationLogEntry, col(ModerationLogEntry.id) == col(Appeal.log_id))
        .outerjoin(Sanction, col(Sanction.log_id) == col(Appeal.log_id))
        .outerjoin(moderator, col(moderator.id) == col(ModerationLogEntry.actor_id))
        .where(where)
        .execution_options(populate_existing=True)
    )
