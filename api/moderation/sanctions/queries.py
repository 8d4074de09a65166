"""Every statement of sanctions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.kit.http.pagination import Slice, slice_rows
from models import Sanction, SanctionKind, User


@dataclass(frozen=True, slots=True)
class SanctionRow:
    """A sanction, who made it, and who lifted it."""

    sanction: Sanction
    created_by: User | None
    lifted_by: User | None


async def add_sanction(session: AsyncSession, sanction: Sanction) -> None:
    """Store a sanction."""
    session.add(sanction)
    await session.flush()


async def is_restricted(
    session: AsyncSession, user_id: UUID, kind: SanctionKind, now: datetime
) -> bool:
    """Tell whether a sanction of a kind is active."""
    statement = select(
        exists().where(
            col(Sanction.user_id) == user_id,
            col(Sanction.kind) == kind,
            col(Sanction.lifted_at).is_(None),
            or_(col(Sanction.ends_at).is_(None), col(Sanction.ends_at) > now),
        )
    )
    return bool(await session.scalar(statement))


async def lock_sanction(session: AsyncSession, sanction_id: UUID) -> Sanction | None:
    """Return a sanction that nobody else changes until the transaction ends."""
    statement = select(Sanction).where(col(Sanction.id) == sanction_id).with_for_update()
    return (await session.scalars(statement)).one_or_none()


async def find_sanction_of(session: AsyncSession, log_id: UUID) -> Sanction | None:
    """Return the sanction that a decision in the log made."""
    statement = select(Sanction).where(col(Sanction.log_id) == log_id)
    return (await session.scalars(statement)).one_or_none()


async def find_active(
    session: AsyncSession, user_id: UUID, kind: SanctionKind, now: datetime
) -> Sanction | None:
    """Return the active sanction of a kind."""
    statement = (
        select(Sanction)
        .where(
            col(Sanction.user_id) == user_id,
            col(Sanction.kind) == kind,
            col(Sanction.lifted_at).is_(None),
            or_(col(Sanction.ends_at).is_(None), col(Sanction.ends_at) > now),
        )
        .order_by(col(Sanction.starts_at).desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def list_sanctions(
    session: AsyncSession,
    user_id: UUID,
    *,
    kinds: Collection[SanctionKind],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[SanctionRow]:
    """Return a person's sanctions of some kinds, the newest first."""
    creator, lifter = aliased(User), aliased(User)
    statement = (
        select(Sanction, creator, lifter)
        .outerjoin(creator, col(creator.id) == col(Sanction.created_by))
        .outerjoin(lifter, col(lifter.id) == col(Sanction.lifted_by))
        .where(col(Sanction.user_id) == user_id, col(Sanction.kind).in_(kinds))
        .order_by(col(Sanction.starts_at).desc(), col(Sanction.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        position = tuple_(col(Sanction.starts_at), col(Sanction.id))
        statement = statement.where(position < tuple_(*after))
    rows = [SanctionRow(*row) for row in (await session.execute(statement)).all()]
    return slice_rows(rows, limit)
