"""The worker: carries out what follows from committed events, and sweeps what ran out.

Any number of workers may run: each takes events that no other has, for the time of a lease. An
event is done when everything in `effects` was done for it, so what follows happens at least once.
"""

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta

import structlog

from api.accounts import queries as accounts
from api.kit.db import outbox
from api.kit.db.database import DatabaseUnavailable
from api.kit.metrics import EVENTS_FAILED, EVENTS_RELAYED
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services
from api.votes.service import publish_scores
from models import OutboxEvent

log = structlog.get_logger(__name__)

# Seconds between looks at the outbox while it is empty, and after a failure of the database.
IDLE = 0.5
AFTER_FAILURE = 2.0
BATCH = 100
# How long a batch may take. Then its events count as left behind, and may be carried out twice.
LEASE = timedelta(minutes=1)
# An event that fails is tried again after 1, 2, 4 ... seconds, at most every five minutes.
MAX_RETRY_DELAY = 300
# Readers see new scores about so late; each thread with votes gets one version as often.
PUBLISH_EVERY = timedelta(seconds=1)
SWEEP_EVERY = timedelta(minutes=10)
SWEEP_BATCH = 5000
KEEP_ANSWERS = timedelta(hours=24)
KEEP_EVENTS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=7)


async def run_until_stopped(services: Services) -> None:
    """Work until SIGTERM or Ctrl-C."""
    working = asyncio.create_task(run_worker(services))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    with suppress(asyncio.CancelledError):
        await working


async def run_worker(services: Services) -> None:
    """Work until cancelled. What fails is logged and tried again."""
    published_at = services.clock.now()
    swept_at = published_at - SWEEP_EVERY
    while True:
        try:
            found = await relay_batch(services)
            if services.clock.now() - published_at >= PUBLISH_EVERY:
                published_at = services.clock.now()
                await publish_scores(services)
            if services.clock.now() - swept_at >= SWEEP_EVERY:
                await sweep(services)
                swept_at = services.clock.now()
            if found < BATCH:
                await asyncio.sleep(IDLE)
        except DatabaseUnavailable:  # which is logged where it is found
            await asyncio.sleep(AFTER_FAILURE)
        except Exception:  # whatever it was, the next round tries again
            log.exception("worker_failed")
            await asyncio.sleep(AFTER_FAILURE)


async def relay_batch(services: Services) -> int:
    """Carry out the oldest waiting events; return how many were tried."""
    async with services.database.write_session() as session:
        events = await outbox.claim(
            session, services.reactions.event_types, services.clock.now(), limit=BATCH, lease=LEASE
        )
    tried = 0
    try:
        for event in events:
            await _relay(services, event)
            tried += 1
    finally:
        # Whoever is stopped in the middle gives back the rest, so that others need not wait.
        for event in events[tried:]:
            event.retry_at = None
        async with services.database.write_session() as session:
            session.add_all(events)
    return len(events)


async def sweep(services: Services) -> None:
    """Forget kept answers, told events and ended logins that nobody can ask for any more."""
    now = services.clock.now()
    gone = 1
    while gone:
        async with services.database.write_session() as session:
            gone = await outbox.purge(
                session,
                answers_before=now - KEEP_ANSWERS,
                events_before=now - KEEP_EVENTS,
                limit=SWEEP_BATCH,
            )
    for purge, before in (
        (accounts.purge_credentials, now),
        (accounts.purge_sessions, now - KEEP_SESSIONS),
    ):
        gone = 1
        while gone:
            async with services.database.write_session() as session:
                gone = await purge(session, before=before, limit=SWEEP_BATCH)


async def _relay(services: Services, row: OutboxEvent) -> None:
    """Carry out what follows from an event, and note on its row how that went."""
    try:
        event = services.reactions.event_types[row.type].from_payload(row.payload)
        await services.reactions.run_by_worker(services, event)
    except (DatabaseUnavailable, RedisUnavailable):  # which are logged where they are found
        _postpone(services, row)
    except Exception:  # whatever it was, it must not hold up the other events
        log.exception("event_failed", event_type=row.type, event_id=row.id)
        _postpone(services, row)
    else:
        row.relayed_at = services.clock.now()
        EVENTS_RELAYED.inc()


def _postpone(services: Services, row: OutboxEvent) -> None:
    delay = min(2**row.attempts, MAX_RETRY_DELAY)
    row.attempts += 1
    row.retry_at = services.clock.now() + timedelta(seconds=delay)
    EVENTS_FAILED.inc()
