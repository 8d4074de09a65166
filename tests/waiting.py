"""Waiting until something holds: no longer than it takes, and as long as a busy machine needs."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

# Seconds; far above what a loaded machine needs, so that only a defect lets a test wait in vain.
PATIENCE = 60.0
PAUSE = 0.01


async def wait_until(
    holds: Callable[[], Awaitable[object] | object], *, pause: float = PAUSE
) -> None:
    """Wait until `holds` returns or resolves to something true, asking every `pause` seconds.

    Raises AssertionError after a minute.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        result = holds()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return
        assert time.monotonic() < deadline, f"it does not happen: {holds.__qualname__}"
        await asyncio.sleep(pause)


def block_until(holds: Callable[[], object], *, pause: float = PAUSE) -> None:
    """Do the same without an event loop."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"it does not happen: {holds.__qualname__}"
        time.sleep(pause)
