"""Handles from before i, l and 1 were taken for each other stay valid, and stay apart."""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from api.users.handles import further_skeleton, handle_skeleton
from tests.conftest import DATABASE_VARIABLE
from tests.connections import connect_arguments
from tests.migrating import downgrade, make_database, upgrade

# In the order in which they were given.
HANDLES = ("lan", "ian", "l-an", "1an", "modern", "milla", "r0n", "an-i", "vviiliam", "wlll-1am")
BEFORE, AFTER = "0004", "0005"


@pytest.fixture
async def database(worker_name: str) -> AsyncIterator[str]:
    """The URL of a database of its own."""
    name = f"palaver_handles_{worker_name}"
    async with make_database(os.environ[DATABASE_VARIABLE], name) as url:
        yield url


async def test_look_alikes_of_before_keep_their_handles(database: str) -> None:
    upgrade(database, BEFORE)
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
    upgrade(database, AFTER)
    rows = await connection.fetch("SELECT handle, skeleton FROM handles ORDER BY created_at")
    seen: set[str] = set()
    for handle, skeleton in rows:
        is_first = handle_skeleton(handle) not in seen
        assert skeleton == (handle_skeleton(handle) if is_first else further_skeleton(handle))
        seen.add(handle_skeleton(handle))
    assert tuple(handle for handle, _ in rows) == HANDLES
    assert {handle_skeleton(handle) for handle in ("lan", "ian", "l-an", "1an")} == {"lan"}
    downgrade(database, BEFORE)
    upgrade(database, AFTER)
    assert (
        await connection.fetch("SELECT handle, skeleton FROM handles ORDER BY created_at") == rows
    )
    await connection.close()
