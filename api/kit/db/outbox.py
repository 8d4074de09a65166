"""The outbox as the worker sees it: events that wait, and what is kept only for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import IdempotencyKey, OutboxEvent


async def claim(
    session: AsyncSession,
    types: Collection[str],
    now: datetime,
    *,
    limit: int,
    lease: timedelta,
) -> list[OutboxEvent]:
    """Return the oldest events that are due, and keep every other worker from them for the lease.

    No lock outlives this transaction: what follows from an event may take its time, and needs
    transactions of its own. The events of a worker that dies are due again when the lease ends.
    Events of other types are of a newer release and are left to its own workers.
    """
    due = (
        select(col(OutboxEvent.id))
        .where(
            col(OutboxEvent.relayed_at).is_(None),
            col(OutboxEvent.type).in_(types),
            or_(col(OutboxEvent.retry_at).is_(None), col(OutboxEvent.retry_at) <= now),
        )
        .order_by(col(OutboxEvent.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = (
        update(OutboxEvent)
        .where(col(OutboxEvent.id) == due.c.id)
        .values(retry_at=now + lease)
        .returning(OutboxEvent)
        .execution_options(synchronize_session=False)
    )
    events = list(await session.scalars(statement))
    return sorted(events, key=lambda event: event.id or 0)


async def purge(
    session: AsyncSession, *, answers_before: datetime, events_before: datetime, limit: int
) -> int:
    """Forget kept answers made, and events told, before these moments; return how many went.

    At most `limit` of each: after a long stop there may be more than one statement has time for.
    """
    answers = (
        select(col(IdempotencyKey.owner), col(IdempotencyKey.key))
        .where(col(IdempotencyKey.created_at) < answers_before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    events = (
        select(col(OutboxEvent.id))
        .where(col(OutboxEvent.relayed_at) < events_before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    gone = 0
    for statement in (
        delete(IdempotencyKey)
        .where(
            col(IdempotencyKey.owner) == answers.c.owner, col(IdempotencyKey.key) == answers.c.key
        )
        .returning(col(IdempotencyKey.key)),
        delete(OutboxEvent)
        .where(col(OutboxEvent.id) == events.c.id)
        .returning(col(OutboxEvent.id)),
    ):
        result = await session.execute(statement.execution_options(synchronize_session=False))
        gone += len(result.all())
    return gone
