"""`palaver deliveries`: what was not delivered is listed, retried and dropped."""

from datetime import timedelta

from sqlalchemy import DateTime, bindparam, text

from api.kit.services import Services
from tests.cli.conftest import Run
from tests.client import Client
from tests.working import deliver_due, work_off


async def fill_queue(client: Client, services: Services) -> list[int]:
    """Store a waiting, a failed and a dead delivery of one event; return their numbers."""
    await client.join()
    await work_off(services)
    now = services.clock.now()
    statement = text(
        """
        INSERT INTO deliveries
            (event_id, consumer, target, attempts, due_at, created_at, dead_at, last_error)
        SELECT e.id, d.* FROM events e, (VALUES
            ('refreshed_names', 'a', 0, :later, :now, CAST(NULL AS timestamptz), NULL),
            ('refreshed_names', 'b', 3, :later, :now, NULL, 'RuntimeError: no'),
            ('other', 'c', 30, :now, :now, :now, 'RuntimeError: never')
        ) AS d (consumer, target, attempts, due_at, created_at, dead_at, error)
        RETURNING deliveries.id
    """
    ).bindparams(
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("later", type_=DateTime(timezone=True)),
    )
    async with services.database.write_session() as session:
        # An event that the consumer knows.
        await session.execute(text("UPDATE events SET type = 'profile_changed'"))
        rows = await session.scalars(statement, {"now": now, "later": now + timedelta(hours=1)})
        return sorted(rows)


async def count(services: Services, condition: str) -> int:
    async with services.database.read_session() as session:
        counted = text(f"SELECT count(*) FROM deliveries WHERE {condition}")
        return int(await session.scalar(counted) or 0)


async def test_deliveries_are_listed_by_state_and_consumer(
    palaver: Run, client: Client, services: Services
) -> None:
    waiting, failed, dead = await fill_queue(client, services)
    listed = (await palaver("deliveries", "list")).out.splitlines()
    assert [line.split()[:4] for line in listed] == [
        [str(waiting), "waiting", "refreshed_names", "a"],
        [str(failed), "failed", "refreshed_names", "b"],
        [str(dead), "dead", "other", "c"],
    ]
    assert listed[2].endswith("RuntimeError: never")
    assert "profile_changed  30 attempts" in listed[2]
    only = (await palaver("deliveries", "list", "--state", "failed")).out.splitlines()
    assert only == [listed[1]]
    only = (await palaver("deliveries", "list", "--consumer", "other", "--limit", "1")).out
    assert only.splitlines() == [listed[2]]


async def test_dead_deliveries_are_retried_as_if_they_were_new(
    palaver: Run, client: Client, services: Services
) -> None:
    waiting, failed, dead = await fill_queue(client, services)
    retried = await palaver("deliveries", "retry", "--all-dead")
    assert (retried.code, retried.out) == (0, "1 deliveries are retried.\n")
    assert await count(services, "dead_at IS NOT NULL") == 0
    assert await count(services, f"id = {dead} AND attempts = 0 AND last_error IS NULL") == 1
    # One that waits for its first attempt has nothing to retry.
    retried = await palaver("deliveries", "retry", str(waiting), str(failed))
    assert retried.out == "1 deliveries are retried.\n"
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE deliveries SET consumer = 'refreshed_names' WHERE consumer = 'other'")
        )
    assert await deliver_due(services) == 2
    assert await count(services, f"id = {waiting}") == await count(services, "true") == 1


async def test_deliveries_are_dropped_only_when_they_are_named(
    palaver: Run, client: Client, services: Services
) -> None:
    waiting, _, _ = await fill_queue(client, services)
    for command in ("drop", "retry"):
        refused = await palaver("deliveries", command)
        assert refused.code == 2
        assert "--all-dead" in refused.err
    assert await count(services, "true") == 3
    assert (await palaver("deliveries", "drop", str(waiting))).out == "1 deliveries were dropped.\n"
    dropped = await palaver("deliveries", "drop", "--consumer", "other")
    assert dropped.out == "1 deliveries were dropped.\n"
    assert await count(services, "target = 'b'") == await count(services, "true") == 1
