"""How Alembic reaches the database: our driver, one runner at a time, and never a long lock."""

import asyncio

from alembic import context
from sqlalchemy import Connection, make_url, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

import models
from api.kit.db.database import connect

# Any number that no other program uses on this database; the migrations of two servers that start
# together wait for each other on it.
LOCK = 5_842_117_309


def run_migrations(connection: Connection) -> None:
    """Run what is asked for in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=models.metadata,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        # A migration that waits for a lock stops everybody behind it: better to fail and repeat.
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        context.run_migrations()


async def connect_and_run() -> None:
    """Open one connection for the run."""
    url = make_url(context.config.attributes["database_url"])
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        poolclass=pool.NullPool,
        connect_args={"async_creator_fn": connect},
    )
    async with engine.connect() as connection:
        await connection.run_sync(run_migrations)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_run())
