"""Deliveries: one row for each event, consumer and target, until it is done.

A worker claims a row for the time of a lease and renews it while the delivery runs. `attempts`
grows with each claim, so it also tells one claim from the next: a worker that lost the lease cannot
change a row that another has claimed since.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Delivery, OutboxEvent

# Characters of an error that are stored with a delivery.
MAX_ERROR_LENGTH = 500
# And of a target, which names what an event is delivered to.
MAX_TARGET_LENGTH = 300
# How far a measurement counts; beyond it a queue is long, and the exact figure costs time.
MAX_COUNT = 100_000
# Due rows that a claim looks at: more than one worker has under way.
_WINDOW = 1000

# The inner query finds the oldest that are due, the middle one leaves out what would be too much
# for one target and locks the rest. What another worker claimed meanwhile no longer qualifies.
_CLAIM = (
    text("""
WITH due AS (
    SELECT id, row_number() OVER (PARTITION BY target ORDER BY due_at, id) AS place
    FROM (
        SELECT id, target, due_at FROM deliveries
        WHERE consumer = :consumer AND dead_at IS NULL AND due_at <= :now
          AND target <> ALL (:busy_targets)
        ORDER BY due_at, id LIMIT :window
    ) oldest
), claimed AS (
    SELECT d.id FROM deliveries d JOIN due ON due.id = d.id
    WHERE due.place <= :per_target AND d.dead_at IS NULL AND d.due_at <= :now
    ORDER BY d.due_at, d.id LIMIT :limit
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d SET due_at = :lease_ends, attempts = d.attempts + 1
FROM claimed, events e
WHERE d.id = claimed.id AND e.id = d.event_id
RETURNING d.id, d.event_id, d.target, d.attempts, d.created_at, e.type, e.payload
""")
    .bindparams(
        bindparam("consumer", type_=Text()),
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("lease_ends", type_=DateTime(timezone=True)),
        bindparam("busy_targets", type_=ARRAY(Text())),
        bindparam("per_target", type_=Integer()),
        bindparam("window", type_=Integer()),
        bindparam("limit", type_=Integer()),
    )
    .columns(payload=JSONB())
)


class DeliveryState(StrEnum):
    """Where a delivery stands: not tried yet, to be tried again, or given up."""

    WAITING = "waiting"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What a consumer has to do for an event."""

    event_id: int
    consumer: str
    target: str


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this worker has for the time of a lease, and its event."""

    id: int
    event_id: int
    target: str
    attempts: int
    created_at: datetime
    event_type: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A claimed delivery that is not done: when it is due again, or that it is dead."""

    id: int
    claimed_attempts: int
    attempts: int
    due_at: datetime
    dead_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How much waits, each counted up to MAX_COUNT, and since when."""

    waiting: int
    failed: int
    dead: int
    oldest_at: datetime | None


async def insert_deliveries(
    session: AsyncSession, deliveries: Sequence[NewDelivery], now: datetime
) -> None:
    """Store deliveries that are due at once; those that exist are left as they are."""
    statement = text("""
        INSERT INTO deliveries (event_id, consumer, target, due_at, created_at)
        SELECT event_id, consumer, target, :now, :now
        FROM unnest(:event_ids, :consumers, :targets) AS d (event_id, consumer, target)
        ON CONFLICT DO NOTHING
    """).bindparams(
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("event_ids", type_=ARRAY(BigInteger())),
        bindparam("consumers", type_=ARRAY(Text())),
        bindparam("targets", type_=ARRAY(Text())),
    )
    values = {
        "now": now,
        "event_ids": [delivery.event_id for delivery in deliveries],
        "consumers": [delivery.consumer for delivery in deliveries],
        "targets": [delivery.target for delivery in deliveries],
    }
    await session.execute(statement, values)


async def claim_deliveries(
    session: AsyncSession,
    consumer: str,
    *,
    now: datetime,
    lease_ends: datetime,
    limit: int,
    per_target: int,
    busy_targets: Collection[str],
) -> list[ClaimedDelivery]:
    """Claim the oldest deliveries of a consumer that are due, at most `per_target` of a target.

    None is claimed for a busy target. No lock outlives the transaction: a delivery may take long.
    """
    values = {
        "consumer": consumer,
        "now": now,
        "lease_ends": lease_ends,
        "limit": limit,
        "per_target": per_target,
        "busy_targets": list(busy_targets),
        "window": max(_WINDOW, limit),
    }
    rows = (await session.execute(_CLAIM, values)).all()
    return sorted((ClaimedDelivery(*row) for row in rows), key=lambda row: row.id)


async def renew_leases(session: AsyncSession, ids: Sequence[int], lease_ends: datetime) -> None:
    """Keep claimed deliveries from other workers for longer."""
    await session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(due_at=lease_ends)
        .execution_options(synchronize_session=False)
    )


async def delete_done(session: AsyncSession, ids: Sequence[int]) -> None:
    """Forget deliveries that are done."""
    await session.execute(
        delete(Delivery)
        .where(col(Delivery.id).in_(ids))
        .execution_options(synchronize_session=False)
    )


async def store_setbacks(session: AsyncSession, setbacks: Sequence[Setback]) -> None:
    """Note which deliveries were not done, unless another worker has claimed them since."""
    for setback in setbacks:
        await session.execute(
            update(Delivery)
            .where(
                col(Delivery.id) == setback.id,
                col(Delivery.attempts) == setback.claimed_attempts,
            )
            .values(
                attempts=setback.attempts,
                due_at=setback.due_at,
                dead_at=setback.dead_at,
                last_error=setback.error,
            )
            .execution_options(synchronize_session=False)
        )


async def hasten_deliveries(session: AsyncSession, *, beyond: datetime, now: datetime) -> int:
    """Make deliveries due that are only due beyond a moment; return how many.

    No retry is put off that far, so the clock was moved back since.
    """
    statement = (
        update(Delivery)
        .where(col(Delivery.dead_at).is_(None), col(Delivery.due_at) > beyond)
        .values(due_at=now)
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


async def purge_dead(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` deliveries that died before a moment; return how many."""
    old = (
        select(col(Delivery.id))
        .where(col(Delivery.dead_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = (
        delete(Delivery)
        .where(col(Delivery.id) == old.c.id)
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


async def measure_queue(session: AsyncSession) -> QueueState:
    """Return how many deliveries wait, failed and are dead, and when the oldest event happened.

    The oldest is one that no consumer has failed at: either its event waits for the relay, or the
    delivery for its first attempt.
    """

    async def count(where: ColumnElement[bool]) -> int:
        bounded = select(col(Delivery.id)).where(where).limit(MAX_COUNT).subquery()
        return await session.scalar(select(func.count()).select_from(bounded)) or 0

    is_waiting = _is_in_state(DeliveryState.WAITING)
    oldest = [
        await session.scalar(select(func.min(col(Delivery.created_at))).where(is_waiting)),
        await session.scalar(
            select(col(OutboxEvent.created_at))
            .where(col(OutboxEvent.relayed_at).is_(None))
            .order_by(col(OutboxEvent.id))
            .limit(1)
        ),
    ]
    return QueueState(
        waiting=await count(is_waiting),
        failed=await count(_is_in_state(DeliveryState.FAILED)),
        dead=await count(_is_in_state(DeliveryState.DEAD)),
        oldest_at=min((moment for moment in oldest if moment is not None), default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which deliveries an operator means; what is None makes no difference."""

    ids: Collection[int] | None = None
    in_state: DeliveryState | None = None
    consumer: str | None = None

    def to_conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions that all must meet."""
        conditions: list[ColumnElement[bool]] = []
        if self.ids is not None:
            conditions.append(col(Delivery.id).in_(self.ids))
        if self.in_state is not None:
            conditions.append(_is_in_state(self.in_state))
        if self.consumer is not None:
            conditions.append(col(Delivery.consumer) == self.consumer)
        return conditions


async def list_deliveries(
    session: AsyncSession, selection: Selection, *, limit: int
) -> list[tuple[Delivery, str]]:
    """Return the oldest deliveries, each with the type of its event."""
    statement = (
        select(Delivery, col(OutboxEvent.type))
        .join(OutboxEvent, col(OutboxEvent.id) == col(Delivery.event_id))
        .where(*selection.to_conditions())
        .order_by(col(Delivery.id))
        .limit(limit)
    )
    return [(delivery, kind) for delivery, kind in await session.execute(statement)]


async def retry_deliveries(
    session: AsyncSession, selection: Selection, now: datetime, *, limit: int
) -> int:
    """Make at most `limit` failed or dead deliveries due, as if they were new; return how many."""
    chosen = _choose(selection, col(Delivery.last_error).is_not(None), limit=limit)
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(chosen))
        .values(attempts=0, due_at=now, created_at=now, dead_at=None, last_error=None)
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


async def drop_deliveries(session: AsyncSession, selection: Selection, *, limit: int) -> int:
    """Delete at most `limit` deliveries, which then never take place; return how many."""
    statement = (
        delete(Delivery)
        .where(col(Delivery.id).in_(_choose(selection, limit=limit)))
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


def get_state(delivery: Delivery) -> DeliveryState:
    """Return where a delivery stands."""
    if delivery.dead_at is not None:
        return DeliveryState.DEAD
    return DeliveryState.WAITING if delivery.last_error is None else DeliveryState.FAILED


def _choose(selection: Selection, *conditions: ColumnElement[bool], limit: int) -> Select[Any]:
    return (
        select(col(Delivery.id))
        .where(*selection.to_conditions(), *conditions)
        .order_by(col(Delivery.id))
        .limit(limit)
    )


def _is_in_state(state: DeliveryState) -> ColumnElement[bool]:
    match state:
        case DeliveryState.DEAD:
            return col(Delivery.dead_at).is_not(None)
        case DeliveryState.FAILED:
            return col(Delivery.dead_at).is_(None) & col(Delivery.last_error).is_not(None)
        case DeliveryState.WAITING:
            return col(Delivery.dead_at).is_(None) & col(Delivery.last_error).is_(None)
