"""The outbox as the relay sees it: events that no delivery was made for yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Delivery, OutboxEvent


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that waits for the relay."""

    id: int
    type: str
    payload: dict[str, Any]


async def lock_waiting_events(
    session: AsyncSession, types: Collection[str], *, limit: int
) -> list[WaitingEvent]:
    """Return the oldest waiting events, which no other relay takes until the transaction ends.

    Events of other types are of a newer release and are left to its own workers.
    """
    statement = (
        select(col(OutboxEvent.id), col(OutboxEvent.type), col(OutboxEvent.payload))
        .where(col(OutboxEvent.relayed_at).is_(None), col(OutboxEvent.type).in_(types))
        .order_by(col(OutboxEvent.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [WaitingEvent(*row) for row in await session.execute(statement)]


async def mark_relayed(session: AsyncSession, event_ids: Sequence[int], now: datetime) -> None:
    """Note that the deliveries of these events were made."""
    await session.execute(
        update(OutboxEvent)
        .where(col(OutboxEvent.id).in_(event_ids))
        .values(relayed_at=now)
        .execution_options(synchronize_session=False)
    )


async def purge_events(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` events that were relayed before a moment; return how many.

    An event stays for as long as one of its deliveries waits or is dead.
    """
    old = (
        select(col(OutboxEvent.id))
        .where(
            col(OutboxEvent.relayed_at) < before,
            ~exists().where(col(Delivery.event_id) == col(OutboxEvent.id)),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = (
        delete(OutboxEvent)
        .where(col(OutboxEvent.id) == old.c.id)
        .returning(col(OutboxEvent.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())
