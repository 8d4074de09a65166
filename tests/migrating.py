"""A database that tests migrate to a revision, with rows of that time."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alembic import command
from sqlalchemy import make_url

from api.kit.db.database import to_asyncpg
from api.kit.db.migrations import alembic_config
from tests.connections import connected_to


@asynccontextmanager
async def make_database(server_url: str, name: str) -> AsyncIterator[str]:
    """Create an empty database for as long as the block lasts; yield its URL."""
    async with connected_to(server_url) as server:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.execute(f"CREATE DATABASE {name}")
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def upgrade(url: str, revision: str) -> None:
    """Migrate up to a revision."""
    _run(url, revision, is_up=True)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision."""
    _run(url, revision, is_up=False)


def _run(url: str, revision: str, *, is_up: bool) -> None:
    """Migrate in a thread: Alembic runs an event loop of its own."""
    config = alembic_config(to_asyncpg(url).render_as_string(hide_password=False))
    migrate = command.upgrade if is_up else command.downgrade
    thread = threading.Thread(target=migrate, args=(config, revision))
    thread.start()
    thread.join()
