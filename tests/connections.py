"""Connections of the tests' own, beside the app's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

import models

_DELETES = ";\n".join(
    f"DELETE FROM {table.name}"
    for table in models.metadata.sorted_tables
    if table.name != "database_epoch"
)
# Leaves the database as migrations do: without rows but those that are made with the tables.
# Without triggers and foreign keys, so in any order. Not by TRUNCATE, which makes a new file for
# each table and index: 220 ms before each test, where this takes 1.4.
EMPTY_TABLES = f"""
SET session_replication_role = replica;
{_DELETES};
INSERT INTO screening_settings DEFAULT VALUES;
SET session_replication_role = origin;
"""


@asynccontextmanager
async def connected_to(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection for as long as the block lasts."""
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        yield connection
    finally:
        await connection.close()


def connect_arguments(url: str) -> dict[str, str | int | None]:
    """Return asyncpg's arguments for an SQLAlchemy URL."""
    parsed = make_url(url)
    host = parsed.query.get("host", parsed.host)
    return {
        "host": host if isinstance(host, str) or host is None else host[0],
        "port": parsed.port,
        "user": parsed.username,
        "password": parsed.password,
        "database": parsed.database,
    }
