"""From events to deliveries, and from deliveries to their consumers.

The relay turns each event into one delivery for each consumer and target. Each consumer has a lane:
its deliveries are claimed and run by themselves, within its own bound, so one that hangs or fails
delays no other. What was done is noted in batches.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db import deliveries as queries
from api.kit.db import outbox
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.deliveries import ClaimedDelivery, NewDelivery, Setback
from api.kit.db.events import Event
from api.kit.effects import NO_TARGET, AnyConsumer, DeliveryFailedError, EffectTable
from api.kit.metrics import DELIVERIES, DELIVERY_FAILURES, EVENTS_RELAYED
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services

log = structlog.get_logger(__name__)

# Events that become deliveries in one transaction.
RELAY_BATCH = 500
# A worker that is killed leaves its deliveries to the others after this; one that lives renews.
LEASE = timedelta(seconds=10)
RENEW_EVERY = 3.0  # seconds
# A delivery that fails is tried again after about 1, 2, 4 ... seconds, at most every hour.
MAX_RETRY_DELAY = timedelta(hours=1)
# While an engine is away, which is no failure of the consumer.
AWAY_DELAY = timedelta(seconds=2)
# An event that this release does not know is left to the workers of a newer one.
UNKNOWN_DELAY = timedelta(minutes=1)
DEAD_AFTER = timedelta(days=1)
# Events named in one line of the log.
_LOGGED_IDS = 10


async def relay_events(services: Services, effects: EffectTable) -> set[str] | None:
    """Turn the oldest waiting events into deliveries, in one transaction.

    Return the consumers that got some, or None when no event waited.
    """
    now = services.clock.now()
    async with services.database.write_session() as session:
        events = await outbox.lock_waiting_events(session, effects.event_types, limit=RELAY_BATCH)
        if not events:
            return None
        new: list[NewDelivery] = []
        for row in events:
            for consumer in effects.get_effect(effects.event_types[row.type]).consumers:
                targets = (
                    await _list_targets(session, effects, consumer, row)
                    if consumer.has_targets
                    else (NO_TARGET,)
                )
                new.extend(NewDelivery(row.id, consumer.name, target) for target in targets)
        if new:
            await queries.insert_deliveries(session, new, now)
        await outbox.mark_relayed(session, [row.id for row in events], now)
    EVENTS_RELAYED.inc(len(events))
    return {delivery.consumer for delivery in new}


async def _list_targets(
    session: AsyncSession, effects: EffectTable, consumer: AnyConsumer, row: outbox.WaitingEvent
) -> Sequence[str]:
    """Return the targets of an event.

    When they cannot be listed, a delivery without a target does it later, so that neither other
    consumers nor other events have to wait.
    """
    try:
        async with session.begin_nested():
            event = effects.event_types[row.type].from_payload(row.payload)
            return sorted(await consumer.list_targets(session, event))
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("targets_not_listed", consumer=consumer.name, event_id=row.id)
        return (NO_TARGET,)


class Ledger:
    """What became of claimed deliveries: noted in the database in batches."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._done: list[int] = []
        self._setbacks: list[Setback] = []
        self._claimed: dict[int, ClaimedDelivery] = {}
        self._is_filled = asyncio.Event()

    def begin(self, claimed: Sequence[ClaimedDelivery]) -> None:
        """Renew the leases of these deliveries until it is noted what became of them."""
        self._claimed.update((delivery.id, delivery) for delivery in claimed)

    def add_done(self, delivery: ClaimedDelivery) -> None:
        """Note that a delivery was made."""
        self._done.append(delivery.id)
        self._is_filled.set()

    def add_setback(
        self, delivery: ClaimedDelivery, delay: timedelta, *, error: str | None, counts: bool
    ) -> None:
        """Note that a delivery was not made, and whether that counts as a failed attempt."""
        now = self._services.clock.now()
        is_dead = counts and now - delivery.created_at >= DEAD_AFTER
        self._setbacks.append(
            Setback(
                id=delivery.id,
                claimed_attempts=delivery.attempts,
                attempts=delivery.attempts if counts else delivery.attempts - 1,
                due_at=now + delay,
                dead_at=now if is_dead else None,
                error=error and error[: queries.MAX_ERROR_LENGTH],
            )
        )
        self._is_filled.set()

    async def wait_and_write(self) -> None:
        """Wait until there is something to write, and write it. Raises DatabaseUnavailable."""
        await self._is_filled.wait()
        await self.write()

    async def write(self) -> None:
        """Write what was noted. Raises DatabaseUnavailable; then it is still noted."""
        self._is_filled.clear()
        done, setbacks = self._done, self._setbacks
        self._done, self._setbacks = [], []
        try:
            async with self._services.database.write_session() as session:
                if done:
                    await queries.delete_done(session, done)
                await queries.store_setbacks(session, setbacks)
        except BaseException:
            self._done, self._setbacks = done + self._done, setbacks + self._setbacks
            self._is_filled.set()
            raise
        for delivery_id in (*done, *(setback.id for setback in setbacks)):
            self._claimed.pop(delivery_id, None)

    async def renew(self) -> None:
        """Renew the leases of what is under way. Raises DatabaseUnavailable."""
        if self._claimed:
            lease_ends = self._services.clock.now() + LEASE
            async with self._services.database.write_session() as session:
                await queries.renew_leases(session, list(self._claimed), lease_ends)


class Lane:
    """The deliveries of one consumer, run within its bound."""

    def __init__(
        self, services: Services, effects: EffectTable, consumer: AnyConsumer, ledger: Ledger
    ) -> None:
        self._services = services
        self._effects = effects
        self._consumer = consumer
        self._ledger = ledger
        self._running: dict[asyncio.Task[None], Sequence[ClaimedDelivery]] = {}
        self._is_short_of_slots = False
        self.has_work = asyncio.Event()

    async def start_due(self) -> int:
        """Claim deliveries that are due, as many as there are slots for, and start them.

        Return how many. Raises DatabaseUnavailable.
        """
        consumer = self._consumer
        free = consumer.concurrency - len(self._running)
        self._is_short_of_slots = free == 0
        if free == 0:
            return 0
        under_way = Counter(row.target for rows in self._running.values() for row in rows)
        now = self._services.clock.now()
        limit = free * consumer.batch_size
        async with self._services.database.write_session() as session:
            claimed = await queries.claim_deliveries(
                session,
                consumer.name,
                now=now,
                lease_ends=now + LEASE,
                limit=limit,
                per_target=consumer.per_target,
                busy_targets=[t for t, count in under_way.items() if count >= consumer.per_target],
            )
        # More may be due, of these targets or of others.
        self._is_short_of_slots = len(claimed) == limit or consumer.has_targets
        if claimed and consumer.has_targets:
            # Those of one target may have hidden those of others, which the next look sees.
            self.has_work.set()
        self._ledger.begin(claimed)
        for start in range(0, len(claimed), consumer.batch_size):
            run = claimed[start : start + consumer.batch_size]
            task = asyncio.create_task(self._run(run))
            self._running[task] = run
            task.add_done_callback(self._free_slot)
        return len(claimed)

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Cancel what is under way; it is given back to be run by another worker."""
        for task in self._running:
            task.cancel()
        await self.finish()

    def _free_slot(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if self._is_short_of_slots:
            self.has_work.set()

    async def _run(self, claimed: Sequence[ClaimedDelivery]) -> None:
        """Run deliveries, and note what became of each."""
        parsed = self._parse_events(claimed)
        delivered = [delivery for delivery, _ in parsed]
        try:
            async with asyncio.timeout(self._consumer.timeout):
                await self._deliver(parsed)
        except (DatabaseUnavailable, RedisUnavailable) as error:  # logged where they are found
            for delivery in delivered:
                self._ledger.add_setback(
                    delivery, _jitter(AWAY_DELAY), error=type(error).__name__, counts=False
                )
        except asyncio.CancelledError:
            for delivery in delivered:
                self._ledger.add_setback(delivery, timedelta(), error=None, counts=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is retried
            self._note_failure(delivered, error)
        else:
            DELIVERIES.labels(self._consumer.name).inc(len(delivered))
            for delivery in delivered:
                self._ledger.add_done(delivery)

    def _parse_events(
        self, claimed: Sequence[ClaimedDelivery]
    ) -> list[tuple[ClaimedDelivery, Event]]:
        """Return the deliveries with their events; what cannot be parsed is noted."""
        parsed: list[tuple[ClaimedDelivery, Event]] = []
        for delivery in claimed:
            kind = self._effects.event_types.get(delivery.event_type)
            if kind is None:
                self._ledger.add_setback(delivery, UNKNOWN_DELAY, error=None, counts=False)
                continue
            try:
                parsed.append((delivery, kind.from_payload(delivery.payload)))
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                self._note_failure([delivery], error)
        return parsed

    async def _deliver(self, parsed: Sequence[tuple[ClaimedDelivery, Event]]) -> None:
        consumer = self._consumer
        if not consumer.has_targets:
            await consumer.run(self._services, [(event, NO_TARGET) for _, event in parsed])
            return
        for delivery, event in parsed:
            if delivery.target != NO_TARGET:
                await consumer.run(self._services, [(event, delivery.target)])
                continue
            # The relay could not list the targets.
            async with self._services.database.write_session() as session:
                new = [
                    NewDelivery(delivery.event_id, consumer.name, target)
                    for target in await consumer.list_targets(session, event)
                ]
                await queries.insert_deliveries(session, new, self._services.clock.now())

    def _note_failure(self, failed: Sequence[ClaimedDelivery], error: Exception) -> None:
        DELIVERY_FAILURES.labels(self._consumer.name).inc(len(failed))
        described = {
            "consumer": self._consumer.name,
            "event_types": sorted({delivery.event_type for delivery in failed}),
            "event_ids": [delivery.event_id for delivery in failed[:_LOGGED_IDS]],
            "number": len(failed),
        }
        if isinstance(error, DeliveryFailedError):
            reason, earliest = str(error), min(error.retry_after, MAX_RETRY_DELAY)
            log.warning("delivery_failed", reason=reason, target=failed[0].target, **described)
        else:
            reason, earliest = f"{type(error).__name__}: {error}", timedelta()
            log.error("delivery_failed", exc_info=error, **described)
        for delivery in failed:
            seconds = min(2.0 ** (delivery.attempts - 1), MAX_RETRY_DELAY.total_seconds())
            delay = max(_jitter(timedelta(seconds=seconds)), earliest)
            self._ledger.add_setback(delivery, delay, error=reason, counts=True)


class Dispatcher:
    """The lanes of all consumers, and what became of their deliveries."""

    def __init__(self, services: Services, effects: EffectTable) -> None:
        self.ledger = Ledger(services)
        self.lanes = {
            name: Lane(services, effects, consumer, self.ledger)
            for name, consumer in effects.consumers.items()
        }

    async def finish(self) -> None:
        """Wait until nothing is under way, and write what became of it."""
        for lane in self.lanes.values():
            await lane.finish()
        await self.ledger.write()

    async def stop(self) -> None:
        """Give back what is under way."""
        for lane in self.lanes.values():
            await lane.stop()
        with suppress(DatabaseUnavailable):  # then the leases run out
            await self.ledger.write()


def _jitter(delay: timedelta) -> timedelta:
    """Return between half and all of a delay, so that not all retries come at the same moment."""
    return delay * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret
