"""Deliveries to several targets: each by itself."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.comments.events import CommentCreated
from api.kit.dispatcher import (
    Dispatcher,
    relay_events,
)
from api.kit.effects import DeliveryFailedError, TargetedConsumer
from api.kit.services import Services
from tests.client import Client
from tests.conftest import MovableClock
from tests.kit.conftest import capture_log
from tests.worker.delivering import Record, count, make_consumer, make_effects, write_comments
from tests.working import work_off


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


async def test_many_deliveries_to_a_target_that_hangs_do_not_hide_those_to_others(
    client: Client, services: Services
) -> None:
    """A look at what is due is bounded, and all of it may be for one target."""
    await write_comments(client, services, 1)
    done: list[str] = []

    async def find_targets(_: AsyncSession, event: CommentCreated) -> Collection[str]:
        return ("well",)

    async def deliver(_: Services, __: CommentCreated, target: str) -> None:
        if target == "hung":
            await asyncio.Event().wait()
        done.append(target)

    consumer = TargetedConsumer(
        name="targeted", event=CommentCreated, find_targets=find_targets, deliver=deliver
    )
    effects = make_effects(consumer)
    async with services.database.write_session() as session:
        # Older than the delivery that others wait for, and more than a look takes in.
        await session.execute(
            text(
                "INSERT INTO events (type, payload, created_at) SELECT 'comment_created', payload,"
                " now() FROM events, generate_series(1, 1200) WHERE relayed_at IS NULL"
            )
        )
        await session.execute(
            text(
                "INSERT INTO deliveries (event_id, consumer, target, due_at, created_at)"
                " SELECT id, 'targeted', 'hung', now() - interval '1 h', now() FROM events"
            )
        )
        await session.execute(text("UPDATE events SET relayed_at = now() WHERE version IS NULL"))
    await relay_events(services, effects)
    lane = Dispatcher(services, effects).lanes["targeted"]
    assert await lane.start_due() == 2
    assert lane.has_work.is_set()  # so the worker looks again without waiting
    lane.has_work.clear()
    assert await lane.start_due() == 1
    await asyncio.sleep(0)
    assert done == ["well"]
    await lane.stop()


async def test_another_party_that_refuses_is_expected_and_may_name_the_next_attempt(
    client: Client, services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_comments(client, services, 1)
    lines = capture_log(monkeypatch, "api.kit.dispatcher")
    waits = {"short": timedelta(minutes=10), "long": timedelta(days=3), "none": timedelta()}
    tried: list[str] = []

    async def find_targets(_: AsyncSession, event: CommentCreated) -> Collection[str]:
        return waits

    async def deliver(_: Services, __: CommentCreated, target: str) -> None:
        tried.append(target)
        raise DeliveryFailedError("status 429", retry_after=waits[target])

    effects = make_effects(
        TargetedConsumer(
            name="targeted", event=CommentCreated, find_targets=find_targets, deliver=deliver
        )
    )
    await work_off(services, effects)
    assert await count(services, "last_error = 'status 429'") == 3
    assert {(line["log_level"], line["reason"]) for line in lines} == {("warning", "status 429")}
    assert all("exc_info" not in line for line in lines)
    for minutes, expected in (
        (9, {"none"}),
        (2, {"none", "short"}),
        (50, {"none", "short", "long"}),
    ):
        tried.clear()
        clock.advance(minutes=minutes)
        await work_off(services, effects)
        assert sorted(tried) == sorted(expected)


@pytest.mark.parametrize("bad", ["", "x" * 301, "a\0b"])
async def test_a_target_that_cannot_be_stored_holds_up_nobody(
    client: Client, services: Services, bad: str
) -> None:
    """Otherwise one bad row fails the relay, which tries the same batch for ever."""
    comments = await write_comments(client, services, 2)
    record = Record()
    done: list[str] = []

    async def find_targets(_: AsyncSession, event: CommentCreated) -> Collection[str]:
        return ("well", bad) if event.version == 1 else ("well",)

    async def deliver(_: Services, event: CommentCreated, target: str) -> None:
        done.append(f"{event.version} to {target}")

    targeted = TargetedConsumer(
        name="targeted", event=CommentCreated, find_targets=find_targets, deliver=deliver
    )
    await work_off(services, make_effects(targeted, make_consumer(record)))
    assert record.done == comments
    assert done == ["2 to well"]
    failed = "target = '' AND last_error LIKE '%1 to 300 characters%'"
    assert await count(services, failed) == await count(services) == 1
