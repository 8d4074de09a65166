"""Engines that may be mistreated, apart from those of all other tests, and a server on them."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from api.kit.db.migrations import migrate
from tests.client import Client
from tests.connections import EMPTY_TABLES, connected_to
from tests.faults.looking import connected
from tests.faults.servers import Engine, Palaver, run_apart, running


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder with a short path, which unix sockets need, that PostgreSQL's account can reach."""
    with tempfile.TemporaryDirectory(prefix="palaver-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Engine]:
    engine = Engine(folder / "postgres", is_postgres=True)
    engine.start()
    run_apart(lambda: migrate(engine.url))  # Alembic runs an event loop of its own
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def valkey(folder: Path) -> Iterator[Engine]:
    engine = Engine(folder / "valkey", is_postgres=False)
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def server(folder: Path, postgres: Engine, valkey: Engine) -> Iterator[Palaver]:
    """A server that outlives what is done to its engines."""
    with running("serve", folder, postgres, valkey) as palaver:
        yield palaver


@pytest.fixture
async def emptied(postgres: Engine, valkey: Engine) -> None:
    async with connected_to(postgres.url) as connection:
        await connection.execute(EMPTY_TABLES)
    async with Redis.from_url(valkey.url) as redis:
        await redis.flushall()


@pytest.fixture
async def forum(server: Palaver, emptied: None) -> AsyncIterator[Client]:
    """A stranger's client of the server."""
    async with connected(server) as client:
        yield client
