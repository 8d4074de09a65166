"""The worker: relays committed events, makes their deliveries, and runs the periodic jobs.

Any number of workers may run. Relay, deliveries and jobs are tasks of their own: none waits for
another, and one that fails is started again.
"""

import asyncio
import functools
import signal
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import structlog

from api.effects import EFFECTS
from api.jobs import JOBS
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.deliveries import measure_queue
from api.kit.dispatcher import RENEW_EVERY, Dispatcher, Lane, relay_events
from api.kit.effects import EffectTable
from api.kit.jobs import Job, repeat_job
from api.kit.metrics import (
    DELIVERIES_DEAD,
    DELIVERIES_FAILED,
    DELIVERIES_WAITING,
    DELIVERY_LAG,
)
from api.kit.redis.client import RedisUnavailable
from api.kit.redis.wakeups import listen
from api.kit.services import Services

log = structlog.get_logger(__name__)

# Seconds between two looks without a wake-up, at events and at the deliveries of a consumer.
RELAY_POLL = 0.5
LANE_POLL = 1.0
# Seconds between two batches of events while there are many, so that the batches are not small: a
# transaction costs more than an event in it.
RELAY_PACE = 0.05
MEASURE_EVERY = 15.0
AFTER_FAILURE = 2.0


async def run_until_stopped(services: Services) -> None:
    """Work until SIGTERM or Ctrl-C."""
    working = asyncio.create_task(run_worker(services))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    with suppress(asyncio.CancelledError):
        await working


async def run_worker(
    services: Services, effects: EffectTable = EFFECTS, jobs: Iterable[Job] = JOBS
) -> None:
    """Work until cancelled; deliveries under way are given back then."""
    dispatcher = Dispatcher(services, effects)
    has_events = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:

            def start(name: str, step: Callable[[], Awaitable[None]]) -> None:
                group.create_task(_repeat(name, step), name=name)

            start("wakeups", lambda: listen(str(services.settings.redis_url), has_events.set))
            start("relay", lambda: _relay(services, effects, dispatcher, has_events))
            for name, lane in dispatcher.lanes.items():
                start(f"lane {name}", functools.partial(_work_lane, lane))
            start("ledger", dispatcher.ledger.wait_and_write)
            start("leases", lambda: _renew_leases(dispatcher))
            start("measure", lambda: _measure(services))
            for job in jobs:
                start(f"job {job.name}", functools.partial(repeat_job, services, job))
    finally:
        await dispatcher.stop()


async def _repeat(name: str, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step again and again; what fails is logged and tried again."""
    while True:
        try:
            await step()
        except (DatabaseUnavailable, RedisUnavailable):  # logged where they are found
            await asyncio.sleep(AFTER_FAILURE)
        except Exception:  # whatever it was, the next step tries again
            log.exception("worker_failed", task=name)
            await asyncio.sleep(AFTER_FAILURE)


async def _relay(
    services: Services, effects: EffectTable, dispatcher: Dispatcher, has_events: asyncio.Event
) -> None:
    """Relay a batch of events and wake the lanes that got deliveries, or wait for events."""
    has_events.clear()
    consumers = await relay_events(services, effects)
    if consumers is None:
        await _wait(has_events, RELAY_POLL)
        return
    for consumer in consumers:
        dispatcher.lanes[consumer].has_work.set()
    await asyncio.sleep(RELAY_PACE)


async def _work_lane(lane: Lane) -> None:
    """Start what is due, and wait until there may be more."""
    lane.has_work.clear()
    await lane.start_due()
    await _wait(lane.has_work, LANE_POLL)


async def _renew_leases(dispatcher: Dispatcher) -> None:
    await asyncio.sleep(RENEW_EVERY)
    await dispatcher.ledger.renew()


async def _measure(services: Services) -> None:
    """Bring the metrics of the queue up to date."""
    async with services.database.read_session() as session:
        state = await measure_queue(session)
    now = services.clock.now()
    DELIVERIES_WAITING.set(state.waiting)
    DELIVERIES_FAILED.set(state.failed)
    DELIVERIES_DEAD.set(state.dead)
    lag = (now - state.oldest_at).total_seconds() if state.oldest_at else 0.0
    DELIVERY_LAG.set(max(0.0, lag))
    await asyncio.sleep(MEASURE_EVERY)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not for longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
