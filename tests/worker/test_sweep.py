"""What is kept for a while only, and what is kept for as long as it is needed."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from api import worker
from api.kit.services import Services
from api.worker import KEEP_EVENTS, relay_batch, sweep
from tests.client import Client, expect_problem
from tests.conftest import MovableClock


async def count(services: Services, table: str) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_told_events_go_after_a_month_and_waiting_ones_never(
    client: Client, services: Services, clock: MovableClock
) -> None:
    person = await client.join()
    article = await person.post_article()
    told = await relay_batch(services)
    assert told == await count(services, "events") > 0
    await person.reply(article["id"])
    clock.advance(days=29)
    await sweep(services)
    assert await count(services, "events") == told + 1
    clock.advance(days=2)
    await sweep(services)
    assert await count(services, "events") == 1
    clock.advance(days=365)
    await sweep(services)
    assert await count(services, "events") == 1
    assert await relay_batch(services) == 1


async def test_ended_logins_are_forgotten_a_week_after_they_ran_out(
    client: Client, services: Services, clock: MovableClock
) -> None:
    person = await client.join()
    clock.advance(days=36)
    await sweep(services)
    assert await count(services, "sessions") == 1
    clock.advance(days=2)
    await sweep(services)
    assert await count(services, "sessions") == 0
    refused = await client.post(
        "/v1/sessions/refresh", {"refresh_token": person.tokens["refresh_token"]}
    )
    expect_problem(refused, 401, "invalid_refresh_token")


async def test_any_amount_goes_in_bounded_steps(
    client: Client,
    services: Services,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "SWEEP_BATCH", 2)
    old = clock.now() - KEEP_EVENTS - timedelta(days=1)
    async with services.database.write_session() as session:
        for number in range(7):
            await session.execute(
                text(
                    "INSERT INTO idempotency_keys (owner, key, fingerprint, status, headers, body, "
                    "created_at) VALUES ('anonymous', :key, '', 201, '{}', '', :old)"
                ),
                {"key": str(number), "old": old},
            )
        for number in range(5):
            await session.execute(
                text(
                    "INSERT INTO events (type, payload, created_at, relayed_at) "
                    "VALUES ('user_registered', CAST(:payload AS jsonb), :old, :old)"
                ),
                {"payload": json.dumps({"user_id": str(UUID(int=number))}), "old": old},
            )
    statements: list[int] = []
    purge = worker.outbox.purge

    async def watch(*arguments: object, **options: object) -> int:
        gone = await purge(*arguments, **options)  # type: ignore[arg-type]  # handed through
        statements.append(gone)
        return gone

    monkeypatch.setattr(worker.outbox, "purge", watch)
    await sweep(services)
    assert statements == [4, 4, 3, 1, 0]
    assert await count(services, "idempotency_keys") == 0
    assert await count(services, "events") == 0


async def test_rows_that_another_worker_is_sweeping_are_left_to_it(
    client: Client, services: Services, clock: MovableClock
) -> None:
    await client.join()
    await relay_batch(services)
    clock.advance(days=31)
    async with services.database.write_session() as other:
        await other.execute(text("SELECT FROM events FOR UPDATE"))
        await sweep(services)
        assert await count(services, "events") == 1
    await sweep(services)
    assert await count(services, "events") == 0
