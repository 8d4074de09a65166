"""Connections opened before a race: on a cold pool the racers queue up behind each other."""

from contextlib import AsyncExitStack

from api.kit.services import Services


async def warm_pools(services: Services) -> None:
    """Open every connection of both pools, all at once, so that none waits for a handshake."""
    for engine in (services.database.writer, services.database.reader):
        async with AsyncExitStack() as stack:
            for _ in range(services.settings.database_pool_size):
                await stack.enter_async_context(engine.connect())
