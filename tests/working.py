"""The worker's steps, taken one by one until nothing is left to do."""

from api.effects import EFFECTS
from api.jobs import JOBS
from api.kit.dispatcher import Dispatcher, relay_events
from api.kit.effects import EffectTable
from api.kit.jobs import run_job
from api.kit.services import Services


async def deliver_due(services: Services, effects: EffectTable = EFFECTS) -> int:
    """Make the deliveries that are due now; return how many were tried."""
    dispatcher = Dispatcher(services, effects)
    started = 0
    while found := sum([await lane.start_due() for lane in dispatcher.lanes.values()]):
        started += found
        await dispatcher.finish()
    return started


async def work_off(services: Services, effects: EffectTable = EFFECTS) -> int:
    """Relay all events and make all deliveries, also of what these emit; return how many."""
    started = 0
    while await relay_events(services, effects) is not None:
        started += await deliver_due(services, effects)
    return started + await deliver_due(services, effects)


async def run_jobs(services: Services) -> None:
    """Run every periodic job once."""
    for job in JOBS:
        await run_job(services, job)
