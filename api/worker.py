"""The worker: carries out what follows from committed events, and sweeps what ran out.

Any number of workers may run: each takes events that no other holds (SKIP LOCKED). An event is done
when everything in `effects` was done for it, so what follows happens at least once.
"""

import asyncio
from datetime import timedelta

import structlog

from api.auth import queries as auth
from api.effects import EFFECTS, EVENT_TYPES
from api.kit import outbox
from api.kit.metrics import EVENTS_FAILED, EVENTS_RELAYED
from api.kit.services import Services
from models import OutboxEvent

log = structlog.get_logger(__name__)

# Seconds between looks at the outbox while it is empty, and after a failure of the database.
IDLE = 0.5
AFTER_FAILURE = 2.0
BATCH = 100
# An event that fails is tried again after 1, 2, 4 ... seconds, at most every five minutes.
MAX_RETRY_DELAY = 300
SWEEP_EVERY = timedelta(minutes=10)
KEEP_ANSWERS = timedelta(hours=24)
KEEP_EVENTS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=7)


async def run_worker(services: Services) -> None:
    """Work until cancelled. What fails is logged and tried again."""
    swept_at = services.clock.now() - SWEEP_EVERY
    while True:
        try:
            found = await relay_batch(services)
            if services.clock.now() - swept_at >= SWEEP_EVERY:
                await sweep(services)
                swept_at = services.clock.now()
            if found < BATCH:
                await asyncio.sleep(IDLE)
        except Exception:  # whatever it was, the next round tries again
            log.exception("worker_failed")
            await asyncio.sleep(AFTER_FAILURE)


async def relay_batch(services: Services) -> int:
    """Carry out the oldest waiting events; return how many were tried."""
    async with services.database.transaction() as session:
        events = await outbox.claim(session, EVENT_TYPES, services.clock.now(), limit=BATCH)
        for event in events:
            await _relay(services, event)
    return len(events)


async def sweep(services: Services) -> None:
    """Forget kept answers, told events and ended logins that nobody can ask for any more."""
    now = services.clock.now()
    async with services.database.transaction() as session:
        await outbox.purge(
            session, answers_before=now - KEEP_ANSWERS, events_before=now - KEEP_EVENTS
        )
        await auth.purge_sessions(session, before=now - KEEP_SESSIONS)


async def _relay(services: Services, row: OutboxEvent) -> None:
    kind = EVENT_TYPES[row.type]
    try:
        event = kind.from_payload(row.payload)
        for react in EFFECTS[kind].by_worker:
            await react(services, event)
    except Exception as error:  # noqa: BLE001 - one event must not hold up the others
        delay = min(2**row.attempts, MAX_RETRY_DELAY)
        row.attempts += 1
        row.retry_at = services.clock.now() + timedelta(seconds=delay)
        EVENTS_FAILED.inc()
        log.warning("event_failed", event_type=row.type, event_id=row.id, error=repr(error))
    else:
        row.relayed_at = services.clock.now()
        EVENTS_RELAYED.inc()
