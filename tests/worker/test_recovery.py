"""The running worker: woken by commits through Redis, and going on after whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api import worker
from api.comments.events import CommentCreated
from api.kit.db import outbox
from api.kit.effects import Consumer, Effect, EffectTable
from api.kit.jobs import Job
from api.kit.services import Services
from tests.client import Client, Person
from tests.connections import connected_to
from tests.kit.conftest import capture_log
from tests.waiting import wait_until
from tests.working import work_off

# Seconds; longer than any test waits.
NEVER = 600.0
SOON = 0.05


class Thread:
    """An article whose new comments the running worker delivers."""

    def __init__(self, person: Person, article_id: str) -> None:
        self._person = person
        self._article_id = article_id
        self.delivered: list[str] = []
        self.working: asyncio.Task[None]

    async def note(self, _: Services, event: CommentCreated) -> None:
        self.delivered.append(str(event.comment_id))

    async def wait_until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait, but only while the worker works."""

        async def holds_at_work() -> bool:
            assert not self.working.done(), "the worker ended"
            return await holds()

        await wait_until(holds_at_work)

    async def comment(self) -> None:
        """Write a comment and wait until its event was delivered."""
        written = (await self._person.reply(self._article_id))["id"]

        async def is_delivered() -> bool:
            return written in self.delivered

        await self.wait_until(is_delivered)


@asynccontextmanager
async def at_work(
    client: Client, services: Services, jobs: Iterable[Job] = ()
) -> AsyncIterator[Thread]:
    """Run a worker while the block lasts; no event waits at its begin."""
    person = await client.join()
    thread = Thread(person, (await person.post_article())["id"])
    await work_off(services)
    consumer = Consumer(name="tested", event=CommentCreated, deliver=thread.note)
    effects = EffectTable([Effect(event=CommentCreated, by_worker=(consumer,))])
    thread.working = asyncio.create_task(worker.run_worker(services, effects, jobs))
    try:
        yield thread
    finally:
        thread.working.cancel()
        await asyncio.gather(thread.working, return_exceptions=True)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def _without_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RELAY_POLL", NEVER)
    monkeypatch.setattr(worker, "LANE_POLL", NEVER)
    # After a batch the relay looks once more; that must not find the next comment by chance.
    monkeypatch.setattr(worker, "RELAY_PACE", 0)


async def find_listeners(redis: Redis) -> set[str]:
    """Return the ids of the connections that listen for wake-ups, of this test process alone."""
    own = (await redis.client_info())["db"]
    found = await redis.client_list(_type="pubsub")
    return {row["id"] for row in found if str(row["db"]) == str(own) and row["sub"] == "1"}


@pytest.mark.usefixtures("_without_polling")
async def test_commits_wake_the_worker_without_polling(client: Client, services: Services) -> None:
    async with at_work(client, services) as thread:
        for _ in range(3):
            await thread.comment()


@pytest.mark.usefixtures("_without_polling")
async def test_a_listener_that_was_cut_off_listens_again(
    client: Client, services: Services, redis: Redis
) -> None:
    seen: set[str] = set()

    async def is_listening() -> bool:
        return bool(await find_listeners(redis) - seen)

    async with at_work(client, services) as thread:
        for _ in range(2):
            await thread.wait_until(is_listening)
            await thread.comment()
            for listener in (listeners := await find_listeners(redis)):
                await redis.client_kill_filter(_id=listener)
            seen |= listeners
        # What is committed meanwhile is found when it listens again, what comes later by wake-ups.
        await thread.comment()
        await thread.wait_until(is_listening)
        for _ in range(3):
            await thread.comment()


async def test_the_worker_goes_on_after_its_connections_were_ended(
    client: Client, services: Services, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RELAY_POLL", "LANE_POLL", "AFTER_FAILURE"):
        monkeypatch.setattr(worker, name, SOON)
    lost = capture_log(monkeypatch, "api.kit.db.database")
    ours = (
        "FROM pg_stat_activity WHERE application_name = 'palaver' AND datname = current_database()"
    )

    async def relay_and_lanes_wait(other: asyncpg.Connection) -> bool:
        # A transaction sees one snapshot of the activity until it drops it.
        await other.execute("SELECT pg_stat_clear_snapshot()")
        # The statement that takes events, and the one that claims deliveries.
        waiting = f"SELECT count(DISTINCT query) {ours} AND wait_event_type = 'Lock'"
        return bool(await other.fetchval(waiting) >= 2)

    async with connected_to(database_url) as other, at_work(client, services) as thread:
        await thread.comment()
        async with other.transaction():
            await other.execute("LOCK TABLE events, deliveries IN ACCESS EXCLUSIVE MODE")
            await thread.wait_until(lambda: relay_and_lanes_wait(other))
            await other.execute(f"SELECT pg_terminate_backend(pid, 1000) {ours}")
        await thread.comment()
    assert {line["event"] for line in lost} == {"database_away"}


async def test_a_relay_that_fails_leaves_nothing_half_done_and_takes_the_events_again(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AFTER_FAILURE", SOON)
    lines = capture_log(monkeypatch, "api.worker")
    mark_relayed = outbox.mark_relayed
    failures = 0

    async def fail_at_first(session: AsyncSession, *arguments: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            await session.execute(text("SELECT 1 / 0"))
        await mark_relayed(session, *arguments)

    monkeypatch.setattr(outbox, "mark_relayed", fail_at_first)
    runs = 0

    async def note(_: Services) -> bool:
        nonlocal runs
        runs += 1
        return False

    async def has_run_twice() -> bool:
        return runs > 1

    async with at_work(client, services, [Job(name="tested", interval=SOON, run=note)]) as thread:
        failures = 2
        await thread.comment()
        await thread.wait_until(has_run_twice)
        await thread.comment()
    assert failures == 0
    assert len(thread.delivered) == 2, "delivered from a transaction that was rolled back"
    assert [(line["event"], line["task"]) for line in lines] == [("worker_failed", "relay")] * 2


async def test_a_job_that_fails_runs_again_and_stops_nothing_else(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AFTER_FAILURE", SOON)
    lines = capture_log(monkeypatch, "api.worker")
    runs = 0

    async def fail_once(_: Services) -> bool:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("not today")
        return False

    async def has_run_again() -> bool:
        return runs > 2

    job = Job(name="tested", interval=SOON, run=fail_once)
    async with at_work(client, services, [job]) as thread:
        await thread.wait_until(has_run_again)
        await thread.comment()
    assert [(line["event"], line["task"]) for line in lines] == [("worker_failed", "job tested")]
