"""Connections of the tests' own, beside the app's."""

from sqlalchemy import make_url

import models

_EMPTIED_TABLES = ", ".join(
    table.name for table in models.metadata.sorted_tables if table.name != "database_epoch"
)
# Leaves the database as migrations do: without rows but those that are made with the tables.
EMPTY_TABLES = f"""
TRUNCATE {_EMPTIED_TABLES} CASCADE;
INSERT INTO screening_settings DEFAULT VALUES;
"""


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
