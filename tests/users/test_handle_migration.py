"""Handles from before i, l and 1 were taken for each other stay valid, and stay apart."""

import os
import threading
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command
from sqlalchemy import make_url

from api.kit.db.database import to_asyncpg
from api.kit.db.migrations import alembic_config
from api.users.handles import further_skeleton, handle_skeleton
from tests.conftest import DATABASE_VARIABLE, connect_arguments

# In the order in which they were given.
HANDLES = ("lan", "ian", "l-an", "1an", "modern", "milla", "r0n", "an-i", "vviiliam", "wlll-1am")
BEFORE, AFTER = "0004", "0005"


@pytest.fixture
async def database(worker_name: str) -> AsyncIterator[str]:
    """The URL of a database of its own."""
    url = os.environ[DATABASE_VARIABLE]
    name = f"palaver_handles_{worker_name}"
    server = await asyncpg.connect(**connect_arguments(url))
    await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await server.execute(f"CREATE DATABASE {name}")
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


async def test_look_alikes_of_before_keep_their_handles(database: str) -> None:
    run(database, "upgrade", BEFORE)
    connection = await asyncpg.connect(**connect_arguments(database))
    async with connection.transaction():
        for number, handle in enumerate(HANDLES):
            await connection.execute(
                "WITH made AS (INSERT INTO users (id, handle, display_name, name_key, created_at,"
                " updated_at) VALUES (gen_random_uuid(), $1, $1, $1, now(), now()) RETURNING id)"
                " INSERT INTO handles (handle, skeleton, user_id, created_at)"
                " SELECT $1, $2, id, now() + $3 * interval '1 second' FROM made",
                handle,
                # Whatever stood there, also what is the new skeleton of another.
                {"ian": "ian-was", "l-an": "ian"}.get(handle, f"{handle}-was"),
                number,
            )
    run(database, "upgrade", AFTER)
    rows = await connection.fetch("SELECT handle, skeleton FROM handles ORDER BY created_at")
    seen: set[str] = set()
    for handle, skeleton in rows:
        is_first = handle_skeleton(handle) not in seen
        assert skeleton == (handle_skeleton(handle) if is_first else further_skeleton(handle))
        seen.add(handle_skeleton(handle))
    assert tuple(handle for handle, _ in rows) == HANDLES
    assert {handle_skeleton(handle) for handle in ("lan", "ian", "l-an", "1an")} == {"lan"}
    run(database, "downgrade", BEFORE)
    run(database, "upgrade", AFTER)
    assert (
        await connection.fetch("SELECT handle, skeleton FROM handles ORDER BY created_at") == rows
    )
    await connection.close()


def run(url: str, direction: str, revision: str) -> None:
    """Migrate in a thread: Alembic runs an event loop of its own."""
    config = alembic_config(to_asyncpg(url).render_as_string(hide_password=False))
    migrate = command.upgrade if direction == "upgrade" else command.downgrade
    thread = threading.Thread(target=migrate, args=(config, revision))
    thread.start()
    thread.join()
