"""The outbox as the worker sees it: events that wait, and what is kept only for a while."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import IdempotencyKey, OutboxEvent


async def claim(
    session: AsyncSession, types: Collection[str], now: datetime, *, limit: int
) -> list[OutboxEvent]:
    """Return the oldest events that are due and that no other worker holds, locked.

    Events of other types are of a newer release and are left to its own workers.
    """
    statement = (
        select(OutboxEvent)
        .where(
            col(OutboxEvent.relayed_at).is_(None),
            col(OutboxEvent.type).in_(types),
            or_(col(OutboxEvent.retry_at).is_(None), col(OutboxEvent.retry_at) <= now),
        )
        .order_by(col(OutboxEvent.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(statement))


async def purge(
    session: AsyncSession, *, answers_before: datetime, events_before: datetime
) -> None:
    """Forget kept answers made, and events told, before these moments."""
    await session.execute(
        delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < answers_before)
    )
    await session.execute(delete(OutboxEvent).where(col(OutboxEvent.relayed_at) < events_before))
