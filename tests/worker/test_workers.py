"""Deliveries by several workers: each has its own, and what one loses another makes."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from api.comments.events import CommentCreated
from api.kit import dispatcher as dispatching
from api.kit.db.database import DatabaseUnavailable
from api.kit.dispatcher import (
    LEASE,
    Dispatcher,
    relay_events,
)
from api.kit.effects import EffectTable
from api.kit.services import Services
from api.main import make_services
from tests.client import Client
from tests.conftest import MovableClock
from tests.connections import connect_arguments
from tests.waiting import wait_until
from tests.worker.delivering import (
    Record,
    count,
    ignore,
    make_consumer,
    make_effects,
    write_comments,
)
from tests.working import deliver_due, work_off


async def test_two_workers_share_the_deliveries(client: Client, services: Services) -> None:
    comments = await write_comments(client, services, 6)
    working: set[str] = set()
    both_are_working = asyncio.Event()
    done: list[str] = []

    def make_worker(name: str) -> tuple[Services, EffectTable]:
        async def react(_: Services, event: CommentCreated) -> None:
            """Keep a slot, so that one worker alone cannot take all."""
            working.add(name)
            if len(working) == 2:
                both_are_working.set()
            await both_are_working.wait()
            done.append(str(event.comment_id))

        return services, make_effects(make_consumer(react, concurrency=3))

    await relay_events(services, make_worker("")[1])
    first = asyncio.create_task(deliver_due(*make_worker("one")))
    await wait_until(lambda: working)
    await asyncio.gather(first, deliver_due(*make_worker("two")))
    assert Counter(done) == Counter(comments)
    assert await count(services) == 0


async def test_two_relays_make_each_delivery_once(client: Client, services: Services) -> None:
    comments = await write_comments(client, services, 6)
    effects = make_effects(make_consumer(ignore))
    await asyncio.gather(*(relay_events(services, effects) for _ in range(4)))
    assert await count(services) == len(comments)
    assert await count(services, "relayed_at IS NULL", "events") == 0


async def test_what_another_worker_is_about_to_claim_is_passed_over(
    client: Client, services: Services, database_url: str
) -> None:
    comments = await write_comments(client, services, 3)
    record = Record()
    effects = make_effects(make_consumer(record))
    await relay_events(services, effects)
    other = await asyncpg.connect(**connect_arguments(database_url))
    async with other.transaction():
        await other.execute(
            "SELECT FROM deliveries d JOIN events e ON e.id = d.event_id"
            " WHERE payload->>'comment_id' = $1 FOR UPDATE OF d",
            comments[0],
        )
        assert await deliver_due(services, effects) == 2
        assert record.done == comments[1:]
    await other.close()
    assert await deliver_due(services, effects) == 1


async def test_a_worker_that_dies_leaves_its_deliveries_after_the_lease(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await write_comments(client, services, 2)

    async def hang(_: Services, __: CommentCreated) -> None:
        await asyncio.Event().wait()

    effects = make_effects(make_consumer(hang))
    await relay_events(services, effects)
    lost = Dispatcher(services, effects)
    assert await lost.lanes["tested"].start_due() == 2
    living = make_effects(make_consumer(ignore))
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert await deliver_due(services, living) == 0
    await lost.ledger.renew()
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert await deliver_due(services, living) == 0  # it lives, and renewed its lease
    clock.advance(seconds=2)
    assert await deliver_due(services, living) == 2
    await lost.stop()
    assert await count(services) == 0


async def test_a_worker_that_lost_its_lease_changes_nothing(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await write_comments(client, services, 1)
    may_fail = asyncio.Event()

    async def fail_late(_: Services, __: CommentCreated) -> None:
        await may_fail.wait()
        raise RuntimeError("too late")

    slow = make_effects(make_consumer(fail_late))
    await relay_events(services, slow)
    late = Dispatcher(services, slow)
    await late.lanes["tested"].start_due()
    clock.advance(seconds=LEASE.total_seconds() + 1)

    async def hang(_: Services, __: CommentCreated) -> None:
        await asyncio.Event().wait()

    holding = Dispatcher(services, make_effects(make_consumer(hang)))
    assert await holding.lanes["tested"].start_due() == 1
    may_fail.set()
    await late.finish()
    assert await count(services, "attempts = 2 AND last_error IS NULL") == 1
    await holding.stop()


async def test_what_was_delivered_is_noted_also_when_the_database_was_away(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = await write_comments(client, services, 1)
    record = Record()
    effects = make_effects(make_consumer(record))
    await relay_events(services, effects)
    dispatcher = Dispatcher(services, effects)
    await dispatcher.lanes["tested"].start_due()
    await dispatcher.lanes["tested"].finish()

    async def fail(*_: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(dispatching.queries, "delete_done", fail)
        with pytest.raises(DatabaseUnavailable):
            await dispatcher.ledger.write()
    assert await count(services) == 1
    await dispatcher.ledger.wait_and_write()
    assert await count(services) == 0
    assert record.done == comments


async def test_no_transaction_is_open_while_a_delivery_runs(
    client: Client, services: Services, settings: Any, clock: MovableClock
) -> None:
    """A long one would be ended by PostgreSQL, and a pool of one would wait for itself."""
    await write_comments(client, services, 1)
    states: list[int] = []

    async def look(own: Services, _: CommentCreated) -> None:
        async with own.database.write_session() as session:
            open_elsewhere = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
            )
            states.append(int(await session.scalar(open_elsewhere) or 0))

    small = make_services(settings.model_copy(update={"database_pool_size": 1}), clock)
    assert await work_off(small, make_effects(make_consumer(look))) == 1
    await small.close()
    assert states == [0]
    assert await count(services) == 0
