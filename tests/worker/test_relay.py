"""What follows from committed events: at least once, by whoever is free, whatever fails."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from api import worker
from api.comments.events import CommentCreated
from api.effects import EFFECTS
from api.kit.db import outbox
from api.kit.db.database import DatabaseUnavailable
from api.kit.effects import Effect, EffectTable
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services
from api.main import make_services
from api.worker import LEASE, MAX_RETRY_DELAY, relay_batch, run_worker
from tests.client import Client, Person
from tests.conftest import MovableClock
from tests.connections import connect_arguments
from tests.kit.conftest import capture_log

React = Callable[[Services, CommentCreated], Awaitable[None]]


def with_reaction(services: Services, react: React) -> Services:
    """Return services in which only this follows from a new comment."""
    others = (
        Effect(event=kind) for kind in EFFECTS.event_types.values() if kind is not CommentCreated
    )
    effects = EffectTable((*others, Effect(event=CommentCreated, by_worker=(react,))))
    return dataclasses.replace(services, reactions=effects)


async def count_waiting(services: Services) -> int:
    async with services.database.read_session() as session:
        waiting = text("SELECT count(*) FROM events WHERE relayed_at IS NULL")
        return int(await session.scalar(waiting) or 0)


async def write_comments(client: Client, services: Services, number: int) -> list[str]:
    """Write comments whose events are the only ones that wait; return their ids."""
    person = await client.join()
    article = await person.post_article()
    await relay_batch(with_reaction(services, ignore))
    assert await count_waiting(services) == 0
    return [(await person.reply(article["id"]))["id"] for _ in range(number)]


async def ignore(_: Services, __: CommentCreated) -> None:
    pass


class Record:
    """Which comments' events were carried out."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def __call__(self, _: Services, event: CommentCreated) -> None:
        self.done.append(str(event.comment_id))


async def test_each_event_is_carried_out_in_order_and_marked(
    client: Client, services: Services
) -> None:
    comments = await write_comments(client, services, 3)
    record = Record()
    relaying = with_reaction(services, record)
    assert await relay_batch(relaying) == 3
    assert record.done == comments
    assert await count_waiting(services) == 0
    assert await relay_batch(relaying) == 0
    assert record.done == comments


async def test_what_does_not_fit_into_a_batch_comes_with_the_next(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = await write_comments(client, services, 3)
    monkeypatch.setattr(worker, "BATCH", 2)
    record = Record()
    relaying = with_reaction(services, record)
    assert [await relay_batch(relaying) for _ in range(3)] == [2, 1, 0]
    assert record.done == comments


async def test_two_workers_share_the_events(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = await write_comments(client, services, 6)
    monkeypatch.setattr(worker, "BATCH", 3)
    both_are_working = asyncio.Barrier(2)
    done: list[tuple[str, str]] = []

    def make_worker(name: str) -> Services:
        is_first = True

        async def react(_: Services, event: CommentCreated) -> None:
            nonlocal is_first
            if is_first:
                is_first = False
                await asyncio.wait_for(both_are_working.wait(), 5)
            done.append((name, str(event.comment_id)))

        return with_reaction(services, react)

    found = await asyncio.gather(relay_batch(make_worker("a")), relay_batch(make_worker("b")))
    assert found == [3, 3]
    assert Counter(comment for _, comment in done) == Counter(comments)
    assert await count_waiting(services) == 0


async def test_events_that_another_is_about_to_take_are_passed_over(
    client: Client, services: Services, database_url: str
) -> None:
    comments = await write_comments(client, services, 3)
    record = Record()
    relaying = with_reaction(services, record)
    other = await asyncpg.connect(**connect_arguments(database_url))
    async with other.transaction():
        await other.execute(
            "SELECT FROM events WHERE payload->>'comment_id' = $1 FOR UPDATE", comments[0]
        )
        assert await relay_batch(relaying) == 2
        assert record.done == comments[1:]
    await other.close()
    assert await relay_batch(relaying) == 1
    assert record.done == [*comments[1:], comments[0]]


async def test_what_a_worker_that_died_had_taken_is_due_again_after_its_lease(
    client: Client, services: Services, clock: MovableClock
) -> None:
    comments = await write_comments(client, services, 2)
    async with services.database.write_session() as session:
        types = [CommentCreated.type]
        taken = await outbox.claim(session, types, clock.now(), limit=worker.BATCH, lease=LEASE)
    assert len(taken) == 2

    record = Record()
    relaying = with_reaction(services, record)
    assert await relay_batch(relaying) == 0
    clock.advance(seconds=LEASE.total_seconds() + 1)
    assert await relay_batch(relaying) == 2
    assert record.done == comments


async def test_who_is_stopped_gives_back_what_is_left(client: Client, services: Services) -> None:
    comments = await write_comments(client, services, 3)
    record = Record()
    has_come_far = asyncio.Event()

    async def hang_at_the_second(own: Services, event: CommentCreated) -> None:
        if len(record.done) == 1:
            has_come_far.set()
            await asyncio.sleep(60)
        await record(own, event)

    leaving = asyncio.create_task(relay_batch(with_reaction(services, hang_at_the_second)))
    await has_come_far.wait()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await relay_batch(with_reaction(services, record)) == 2
    assert record.done == comments


async def test_an_event_that_fails_is_tried_again_ever_later_and_holds_up_no_other(
    client: Client,
    services: Services,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, good = await write_comments(client, services, 2)
    lines = capture_log(monkeypatch, "api.worker")
    tries = 0
    done: list[str] = []

    async def react(_: Services, event: CommentCreated) -> None:
        nonlocal tries
        if str(event.comment_id) == bad and tries < 11:
            tries += 1
            raise RuntimeError("not yet")
        done.append(str(event.comment_id))

    relaying = with_reaction(services, react)
    assert await relay_batch(relaying) == 2
    assert done == [good]
    for number in range(10):
        delay = min(2**number, MAX_RETRY_DELAY)
        clock.advance(seconds=delay - 0.5)
        assert await relay_batch(relaying) == 0, f"too early after {number + 1} failures"
        clock.advance(seconds=1)
        assert await relay_batch(relaying) == 1
    clock.advance(seconds=MAX_RETRY_DELAY)
    assert await relay_batch(relaying) == 1
    assert done == [good, bad]
    assert [(line["event"], line["event_type"]) for line in lines] == [
        ("event_failed", "comment_created")
    ] * 11


async def test_while_an_engine_is_away_events_wait_without_a_line_each(
    client: Client,
    services: Services,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await write_comments(client, services, 2)
    lines = capture_log(monkeypatch, "api.worker")

    async def fail(_: Services, __: CommentCreated) -> None:
        raise RedisUnavailable("away")

    assert await relay_batch(with_reaction(services, fail)) == 2
    assert lines == []
    assert await count_waiting(services) == 2
    clock.advance(seconds=2)
    assert await relay_batch(with_reaction(services, ignore)) == 2


async def test_an_event_of_a_newer_release_is_left_to_its_own_workers(
    client: Client, services: Services
) -> None:
    await write_comments(client, services, 1)
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE events SET type = 'newer' WHERE relayed_at IS NULL"))
    record = Record()
    assert await relay_batch(with_reaction(services, record)) == 0
    assert record.done == []
    async with services.database.read_session() as session:
        row = (
            await session.execute(
                text("SELECT attempts, retry_at, relayed_at FROM events WHERE type = 'newer'")
            )
        ).one()
    assert tuple(row) == (0, None, None)


async def test_no_transaction_is_open_while_events_are_carried_out(
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
    assert await relay_batch(with_reaction(small, look)) == 1
    await small.close()
    assert states == [0]
    assert await count_waiting(services) == 0


async def test_the_worker_goes_on_by_itself_after_failures(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "IDLE", 0.01)
    monkeypatch.setattr(worker, "AFTER_FAILURE", 0.01)
    lines = capture_log(monkeypatch, "api.worker")
    person: Person = await client.join()
    article = await person.post_article()
    failures: list[Exception] = [DatabaseUnavailable(), RuntimeError("a defect")]
    claim = worker.outbox.claim

    async def fail_at_first(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return await claim(*arguments, **options)

    monkeypatch.setattr(worker.outbox, "claim", fail_at_first)
    record = Record()
    working = asyncio.create_task(run_worker(with_reaction(services, record)))
    await wait_until(lambda: not failures)
    comments = [(await person.reply(article["id"]))["id"] for _ in range(2)]
    await wait_until(lambda: record.done == comments)
    assert [line["event"] for line in lines] == ["worker_failed"]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert working.cancelled()


async def wait_until(is_true: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")
