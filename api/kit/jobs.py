"""Periodic jobs: the type of the one table in `api/jobs.py`, and how a worker runs one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.kit.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that is done again and again.

    `interval` is in seconds, from the begin of one run to that of the next. `run` returns whether
    there is more to do; then it is called again at once, so each call may be kept short. Workers
    that share a job divide it among themselves; any other runs on one worker at a time.
    """

    name: str
    interval: float
    run: Callable[[Services], Awaitable[bool]]
    is_shared: bool = False


async def run_job(services: Services, job: Job) -> bool:
    """Run a job until it has no more to do; return False when another worker is running it.

    Raises what the job raises, and DatabaseUnavailable.
    """
    if job.is_shared:
        await _run_to_the_end(services, job)
        return True
    async with services.database.try_lock(f"job {job.name}") as is_locked:
        if is_locked:
            await _run_to_the_end(services, job)
    return is_locked


async def repeat_job(services: Services, job: Job) -> None:
    """Run a job, and wait until it is due again.

    The interval is measured with the event loop's clock, which nobody moves.
    """
    loop = asyncio.get_running_loop()
    due_at = loop.time() + job.interval
    await run_job(services, job)
    await asyncio.sleep(max(0.0, due_at - loop.time()))


async def _run_to_the_end(services: Services, job: Job) -> None:
    while await job.run(services):
        pass
