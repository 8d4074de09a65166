"""Deliveries: at least once, each by itself, by any worker, whatever fails."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.comments.events import CommentCreated, CommentEdited
from api.kit import dispatcher as dispatching
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.events import ThreadEvent
from api.kit.dispatcher import (
    AWAY_DELAY,
    DEAD_AFTER,
    LEASE,
    MAX_RETRY_DELAY,
    Dispatcher,
    relay_events,
)
from api.kit.effects import BatchConsumer, Consumer, Effect, EffectTable, TargetedConsumer
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services
from api.main import make_services
from tests.client import Client
from tests.conftest import MovableClock
from tests.connections import connect_arguments
from tests.effects import replace_effect
from tests.kit.conftest import capture_log
from tests.working import deliver_due, work_off

React = Callable[[Services, CommentCreated], Awaitable[None]]


def make_consumer(react: React, name: str = "tested", **options: Any) -> Consumer[CommentCreated]:
    return Consumer(name=name, event=CommentCreated, deliver=react, **options)


def make_effects(
    *consumers: Consumer[CommentCreated]
    | BatchConsumer[CommentCreated]
    | TargetedConsumer[CommentCreated],
) -> EffectTable:
    """Return effects in which only these follow from a new comment."""
    return replace_effect(Effect(event=CommentCreated, by_worker=consumers))


async def count(services: Services, condition: str = "true", table: str = "deliveries") -> int:
    async with services.database.read_session() as session:
        counted = text(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(await session.scalar(counted) or 0)


async def write_comments(client: Client, services: Services, number: int) -> list[str]:
    """Write comments whose events are the only ones that wait; return their ids."""
    person = await client.join()
    article = await person.post_article()
    await work_off(services)
    return [(await person.reply(article["id"]))["id"] for _ in range(number)]


async def ignore(_: Services, __: CommentCreated) -> None:
    pass


class Record:
    """Which comments' events were delivered."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def __call__(self, _: Services, event: CommentCreated) -> None:
        self.done.append(str(event.comment_id))


async def test_each_event_is_delivered_to_each_consumer_and_forgotten(
    client: Client, services: Services
) -> None:
    comments = await write_comments(client, services, 3)
    one, other = Record(), Record()
    effects = make_effects(make_consumer(one, "one"), make_consumer(other, "other"))
    assert await relay_events(services, effects) == {"one", "other"}
    assert await count(services) == 6
    assert await deliver_due(services, effects) == 6
    assert Counter(one.done) == Counter(other.done) == Counter(comments)
    assert await count(services) == 0
    assert await work_off(services, effects) == 0


async def test_a_consumer_that_fails_neither_repeats_nor_delays_its_siblings(
    client: Client, services: Services, clock: MovableClock
) -> None:
    comments = await write_comments(client, services, 2)
    record = Record()

    async def fail(_: Services, __: CommentCreated) -> None:
        raise RuntimeError("not today")

    effects = make_effects(make_consumer(fail, "failing"), make_consumer(record, "working"))
    await work_off(services, effects)
    for _ in range(3):
        clock.advance(minutes=5)
        await work_off(services, effects)
    assert record.done == comments
    assert await count(services, "consumer = 'failing' AND attempts = 4") == 2
    assert await count(services, "consumer = 'working'") == 0


async def test_a_consumer_that_hangs_delays_no_other(client: Client, services: Services) -> None:
    comments = await write_comments(client, services, 3)
    record = Record()
    is_hanging = asyncio.Event()

    async def hang(_: Services, __: CommentCreated) -> None:
        is_hanging.set()
        await asyncio.Event().wait()

    effects = make_effects(
        make_consumer(hang, "hanging", concurrency=2), make_consumer(record, "working")
    )
    await relay_events(services, effects)
    dispatcher = Dispatcher(services, effects)
    assert await dispatcher.lanes["hanging"].start_due() == 2
    assert await dispatcher.lanes["hanging"].start_due() == 0  # its bound
    await is_hanging.wait()
    await dispatcher.lanes["working"].start_due()
    await dispatcher.lanes["working"].finish()
    assert record.done == comments
    await dispatcher.stop()
    # What was cancelled is given back at once, and does not count as an attempt.
    assert await count(services, "consumer = 'hanging' AND attempts = 0") == 3
    done_now = make_effects(make_consumer(ignore, "hanging"), make_consumer(record, "working"))
    assert await deliver_due(services, done_now) == 3


async def test_a_run_that_takes_too_long_is_cancelled_and_retried(
    client: Client, services: Services
) -> None:
    await write_comments(client, services, 1)

    async def hang(_: Services, __: CommentCreated) -> None:
        await asyncio.Event().wait()

    await work_off(services, make_effects(make_consumer(hang, timeout=0.01)))
    assert await count(services, "attempts = 1 AND last_error LIKE 'TimeoutError%'") == 1


async def test_a_delivery_that_fails_is_retried_ever_later_and_dies_after_a_day(
    client: Client,
    services: Services,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await write_comments(client, services, 1)
    lines = capture_log(monkeypatch, "api.kit.dispatcher")

    async def fail(_: Services, __: CommentCreated) -> None:
        raise RuntimeError("not yet")

    effects = make_effects(make_consumer(fail))
    begun = clock.now()
    assert await work_off(services, effects) == 1
    tries = 1
    while clock.now() - begun < DEAD_AFTER:
        delay = min(2.0 ** (tries - 1), MAX_RETRY_DELAY.total_seconds())
        clock.advance(seconds=delay / 2 - 0.4)
        assert await work_off(services, effects) == 0, f"too early after {tries} failures"
        clock.advance(seconds=delay / 2 + 0.5)
        assert await work_off(services, effects) == 1, f"too late after {tries} failures"
        tries += 1
    assert (
        await count(services, "dead_at IS NOT NULL AND last_error = 'RuntimeError: not yet'") == 1
    )
    clock.advance(days=1)
    assert await work_off(services, effects) == 0
    assert [line["event"] for line in lines] == ["delivery_failed"] * tries
    assert 30 < tries < 40


async def test_while_an_engine_is_away_deliveries_wait_briefly_and_never_die(
    client: Client, services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_comments(client, services, 2)
    lines = capture_log(monkeypatch, "api.kit.dispatcher")
    failures = [RedisUnavailable("away"), DatabaseUnavailable()]

    async def fail(_: Services, __: CommentCreated) -> None:
        raise failures[0]

    effects = make_effects(make_consumer(fail))
    await work_off(services, effects)
    clock.advance(days=2)
    failures.reverse()
    assert await work_off(services, effects) == 2
    assert lines == []
    assert await count(services, "dead_at IS NULL AND attempts = 0") == 2
    clock.advance(seconds=AWAY_DELAY.total_seconds())
    assert await work_off(services, make_effects(make_consumer(ignore))) == 2


async def test_two_workers_share_the_deliveries(client: Client, services: Services) -> None:
    comments = await write_comments(client, services, 6)
    both_are_working = asyncio.Barrier(2)
    done: list[str] = []

    def make_worker() -> tuple[Services, EffectTable]:
        is_first = True

        async def react(_: Services, event: CommentCreated) -> None:
            nonlocal is_first
            if is_first:
                is_first = False
                await asyncio.wait_for(both_are_working.wait(), 5)
            done.append(str(event.comment_id))

        return services, make_effects(make_consumer(react, concurrency=3))

    await relay_events(services, make_worker()[1])
    await asyncio.gather(deliver_due(*make_worker()), deliver_due(*make_worker()))
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


async def test_an_event_of_a_newer_release_is_left_to_its_own_workers(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await write_comments(client, services, 2)
    record = Record()
    effects = make_effects(make_consumer(record))
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE events SET type = 'newer' WHERE id = (SELECT max(id) FROM events)")
        )
    assert await work_off(services, effects) == 1
    assert await count(services, "relayed_at IS NULL", "events") == 1

    async with services.database.write_session() as session:
        await session.execute(
            text(
                "INSERT INTO deliveries (event_id, consumer, target, due_at, created_at)"
                " SELECT id, 'tested', '', now(), now() FROM events WHERE type = 'newer'"
            )
        )
    clock.advance(seconds=1)
    assert await deliver_due(services, effects) == 1
    assert await count(services, "attempts = 0 AND last_error IS NULL") == 1
    assert len(record.done) == 1


async def test_an_event_that_cannot_be_read_fails_by_itself(
    client: Client, services: Services
) -> None:
    comments = await write_comments(client, services, 3)
    async with services.database.write_session() as session:
        await session.execute(
            text(
                "UPDATE events SET payload = payload - 'author_id'"
                " WHERE payload->>'comment_id' = :id"
            ),
            {"id": comments[1]},
        )
    seen: list[str] = []

    async def take_all(_: Services, events: Sequence[CommentCreated]) -> None:
        seen.extend(str(event.comment_id) for event in events)

    effects = make_effects(BatchConsumer(name="batch", event=CommentCreated, deliver=take_all))
    await work_off(services, effects)
    assert seen == [comments[0], comments[2]]
    assert await count(services, "attempts = 1 AND last_error LIKE 'ValidationError%'") == 1


async def test_a_batch_takes_what_is_due_in_one_call_and_is_bounded(
    client: Client, services: Services
) -> None:
    await write_comments(client, services, 5)
    sizes: list[int] = []

    async def take_all(_: Services, events: Sequence[ThreadEvent]) -> None:
        sizes.append(len(events))

    batch = BatchConsumer(name="batch", event=ThreadEvent, deliver=take_all, batch_size=3)
    await work_off(services, make_effects(batch))
    assert sizes == [3, 2]


async def test_many_versions_of_an_article_become_one_step_for_readers(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_comments(client, services, 5)
    published: list[dict[Any, int]] = []
    publish = services.cache.publish_versions

    async def watch(versions: Any, **options: Any) -> None:
        published.append(dict(versions))
        await publish(versions, **options)

    monkeypatch.setattr(services.cache, "publish_versions", watch)
    await work_off(services)
    assert [list(versions.values()) for versions in published] == [[5]]


async def find_two_targets(_: AsyncSession, event: CommentCreated) -> Collection[str]:
    return (f"a-{event.version}", "b")


async def test_each_target_has_a_delivery_of_its_own(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await write_comments(client, services, 2)
    done: list[str] = []
    broken = {"b"}

    async def deliver(_: Services, __: CommentCreated, target: str) -> None:
        if target in broken:
            raise RuntimeError("gone")
        done.append(target)

    consumer = TargetedConsumer(
        name="targeted", event=CommentCreated, find_targets=find_two_targets, deliver=deliver
    )
    effects = make_effects(consumer)
    await work_off(services, effects)
    assert sorted(done) == ["a-1", "a-2"]
    assert await count(services, "target = 'b' AND attempts = 1") == 2
    broken.clear()
    clock.advance(seconds=1)
    await work_off(services, effects)
    assert sorted(done) == ["a-1", "a-2", "b", "b"]


async def test_a_target_that_hangs_does_not_take_the_slots_of_others(
    client: Client, services: Services
) -> None:
    await write_comments(client, services, 6)
    done: list[str] = []

    async def find_targets(_: AsyncSession, event: CommentCreated) -> Collection[str]:
        return ("hung",) if event.version < 6 else ("well",)

    async def deliver(_: Services, __: CommentCreated, target: str) -> None:
        if target == "hung":
            await asyncio.Event().wait()
        done.append(target)

    consumer = TargetedConsumer(
        name="targeted",
        event=CommentCreated,
        find_targets=find_targets,
        deliver=deliver,
        concurrency=4,
        per_target=2,
    )
    effects = make_effects(consumer)
    await relay_events(services, effects)
    dispatcher = Dispatcher(services, effects)
    assert await dispatcher.lanes["targeted"].start_due() == 3
    assert await dispatcher.lanes["targeted"].start_due() == 0
    await asyncio.sleep(0)
    assert done == ["well"]
    await dispatcher.stop()


async def test_targets_that_cannot_be_listed_are_listed_later_and_hold_up_nobody(
    client: Client, services: Services, clock: MovableClock
) -> None:
    comments = await write_comments(client, services, 2)
    record = Record()
    failures = 3
    done: list[str] = []

    async def fail_at_first(session: AsyncSession, event: CommentCreated) -> Collection[str]:
        nonlocal failures
        if failures:
            failures -= 1
            await session.execute(text("SELECT 1 / 0"))
        return (f"to-{event.version}",)

    async def deliver(_: Services, __: CommentCreated, target: str) -> None:
        done.append(target)

    targeted = TargetedConsumer(
        name="targeted", event=CommentCreated, find_targets=fail_at_first, deliver=deliver
    )
    effects = make_effects(targeted, make_consumer(record))
    await work_off(services, effects)
    assert record.done == comments
    assert done == ["to-2"]
    assert await count(services, "target = '' AND attempts = 1") == 1
    clock.advance(seconds=1)
    await work_off(services, effects)
    assert done == ["to-2", "to-1"]
    assert await count(services) == 0


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


def test_consumers_with_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two consumers are called tested"):
        make_effects(make_consumer(ignore), make_consumer(ignore))


async def test_a_handler_gets_only_events_of_its_type(services: Services) -> None:
    consumer = make_consumer(ignore)
    edited = CommentEdited(
        article_id=UUID(int=1), version=1, comment_id=UUID(int=2), mentioned_ids=()
    )
    with pytest.raises(TypeError, match="CommentEdited is not a CommentCreated"):
        await consumer.run(services, [(edited, "")])
    await services.close()
