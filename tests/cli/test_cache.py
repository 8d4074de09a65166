"""`palaver cache reset`."""

import asyncpg

from tests.cli.conftest import Run
from tests.client import Client
from tests.connections import connect_arguments


async def test_a_reset_gives_the_database_another_epoch(
    palaver: Run, database_url: str, client: Client
) -> None:
    connection = await asyncpg.connect(**connect_arguments(database_url))
    read = "SELECT epoch, settled_at > now() AS is_pending FROM database_epoch"
    try:
        before = await connection.fetchrow(read)
        outcome = await palaver("cache", "reset")
        assert outcome.code == 0, outcome
        assert "without a restart" in outcome.out
        after = await connection.fetchrow(read)
        assert after["epoch"] != before["epoch"]
        assert (before["is_pending"], after["is_pending"]) == (False, True)
    finally:
        await connection.execute("UPDATE database_epoch SET settled_at = '-infinity'")
        await connection.close()
