"""How Alembic reaches the database: our driver, one runner at a time, and never a long lock."""

import asyncio
import time

from alembic import context
from sqlalchemy import Connection, make_url, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

import models
from api.kit.db.database import connect

# Any number that no other program uses on this database; the migrations of two servers that start
# together wait for each other on it.
LOCK = 5_842_117_309


def run_migrations(connection: Connection) -> None:
    """Run what is asked for, each migration in a transaction of its own.

    The lock is the session's and not a transaction's, so it lasts from the first to the last; it
    ends with the connection. In an `autocommit_block` a migration can create an index concurrently.
    """
    # Tried again and again: whoever waits inside a statement has a snapshot, and an index that is
    # created concurrently waits for all snapshots.
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")):
        connection.rollback()
        time.sleep(0.1)
    # A migration that waits for a lock stops all requests behind it: better to fail and repeat.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '10min'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=models.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
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
