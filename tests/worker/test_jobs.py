"""Periodic jobs: one worker at a time, in bounded steps, whatever the clock says."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from api import jobs
from api.jobs import JOBS, KEEP_EVENTS
from api.kit.dispatcher import MAX_RETRY_DELAY
from api.kit.jobs import Job, run_job
from api.kit.services import Services
from api.votes.service import publish_scores
from api.worker import run_worker
from tests.client import Client, expect, expect_problem
from tests.conftest import MovableClock
from tests.waiting import wait_until
from tests.working import run_jobs, work_off


async def count(services: Services, table: str) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_delivered_events_are_purged_after_a_month_and_waiting_ones_never(
    client: Client, services: Services, clock: MovableClock
) -> None:
    person = await client.join()
    article = await person.post_article()
    await work_off(services)
    delivered = await count(services, "events")
    assert delivered > 0
    clock.advance(days=29)
    await run_jobs(services)
    assert await count(services, "events") == delivered
    person = await client.log_in(person.handle)
    await person.reply(article["id"])
    clock.advance(days=2)
    await run_jobs(services)
    assert await count(services, "events") == 1
    clock.advance(days=365)
    await run_jobs(services)
    assert await count(services, "events") == 1
    assert await work_off(services) == 1


async def test_an_event_stays_while_one_of_its_deliveries_does(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await client.join()
    await work_off(services)
    async with services.database.write_session() as session:
        await session.execute(
            text(
                "INSERT INTO deliveries (event_id, consumer, target, due_at, created_at, dead_at)"
                " SELECT id, 'gone', '', :now, :now, :now FROM events"
            ),
            {"now": clock.now() + timedelta(days=2)},
        )
    clock.advance(days=31)
    await run_jobs(services)
    assert await count(services, "events") == await count(services, "deliveries") == 1
    clock.advance(days=2)
    await run_jobs(services)  # the dead delivery goes after its month
    await run_jobs(services)
    assert await count(services, "events") == await count(services, "deliveries") == 0


async def test_login_sessions_are_purged_a_week_after_they_expired(
    client: Client, services: Services, clock: MovableClock
) -> None:
    person = await client.join()
    clock.advance(days=36)
    await run_jobs(services)
    assert await count(services, "sessions") == 1
    clock.advance(days=2)
    await run_jobs(services)
    assert await count(services, "sessions") == 0
    refused = await client.post(
        "/v1/sessions/refresh", {"refresh_token": person.tokens["refresh_token"]}
    )
    expect_problem(refused, 401, "invalid_refresh_token")


async def test_any_number_of_rows_is_purged_in_bounded_steps(
    client: Client, services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PURGE_BATCH", 2)
    old = clock.now() - KEEP_EVENTS - timedelta(days=1)
    async with services.database.write_session() as session:
        for number in range(5):
            await session.execute(
                text(
                    "INSERT INTO events (type, payload, created_at, relayed_at) "
                    "VALUES ('user_registered', CAST(:payload AS jsonb), :old, :old)"
                ),
                {"payload": json.dumps({"user_id": str(UUID(int=number))}), "old": old},
            )
    [purge] = [job for job in JOBS if job.name == "purge_events"]
    left = []
    more = True
    while more:
        more = await purge.run(services)
        left.append(await count(services, "events"))
    assert left == [3, 1, 0]


async def test_rows_that_another_transaction_holds_are_left(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await client.join()
    await work_off(services)
    clock.advance(days=31)
    async with services.database.write_session() as other:
        await other.execute(text("SELECT FROM events FOR UPDATE"))
        await run_jobs(services)
        assert await count(services, "events") == 1
    await run_jobs(services)
    assert await count(services, "events") == 0


async def test_a_job_runs_on_one_worker_at_a_time(services: Services) -> None:
    is_running, may_end = asyncio.Event(), asyncio.Event()

    async def run(_: Services) -> bool:
        is_running.set()
        await may_end.wait()
        return False

    job = Job(name="tested", interval=1, run=run)
    first = asyncio.create_task(run_job(services, job))
    await is_running.wait()
    assert await run_job(services, job) is False
    may_end.set()
    assert await first is True
    assert await run_job(services, job) is True
    await services.close()


async def test_a_job_that_is_cancelled_gives_its_lock_back(services: Services) -> None:
    is_running = asyncio.Event()

    async def hang(_: Services) -> bool:
        is_running.set()
        await asyncio.Event().wait()
        return False

    async def end(_: Services) -> bool:
        return False

    hanging = asyncio.create_task(run_job(services, Job(name="tested", interval=1, run=hang)))
    await is_running.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    # PostgreSQL notices that the connection is closed in a moment.
    await wait_until(lambda: run_job(services, Job(name="tested", interval=1, run=end)))
    await services.close()


async def test_scores_are_published_although_the_clock_was_moved_back(
    client: Client, services: Services, clock: MovableClock
) -> None:
    author, voter = await client.join(), await client.join()
    article = await author.post_article()
    working = asyncio.create_task(run_worker(services))
    clock.advance(hours=-1)
    path = f"/v1/articles/{article['id']}/vote"
    expect(await voter.client.put(path, {"value": 1}), 200)

    async def are_published() -> bool:
        return await count(services, "score_changes") == 0

    await wait_until(are_published)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_deliveries_are_made_although_the_clock_was_moved_back(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await client.join()
    await work_off(services)
    async with services.database.write_session() as session:
        await session.execute(
            text(
                "INSERT INTO deliveries (event_id, consumer, target, due_at, created_at)"
                " SELECT id, 'refreshed_names', '', :now, :now FROM events"
            ),
            {"now": clock.now()},
        )
    clock.offset -= MAX_RETRY_DELAY + timedelta(seconds=5)
    await run_jobs(services)
    async with services.database.read_session() as session:
        due_at = await session.scalar(text("SELECT max(due_at) FROM deliveries"))
    assert due_at <= clock.now()


async def test_workers_publish_each_score_once(client: Client, services: Services) -> None:
    author, voter = await client.join(), await client.join()
    articles = [await author.post_article(f"No. {number}") for number in range(4)]
    for article in articles:
        path = f"/v1/articles/{article['id']}/vote"
        expect(await voter.client.put(path, {"value": 1}), 200)
    await asyncio.gather(*(publish_scores(services) for _ in range(3)))
    await publish_scores(services)
    async with services.database.read_session() as session:
        versions = await session.scalars(text("SELECT version FROM articles"))
        assert versions.all() == [1] * 4
    assert await count(services, "score_changes") == 0
