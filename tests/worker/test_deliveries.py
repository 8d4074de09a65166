"""Deliveries: at least once, each by itself, retried until they are dead."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.comments.events import CommentCreated, CommentEdited
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.events import ThreadEvent
from api.kit.dispatcher import (
    AWAY_DELAY,
    DEAD_AFTER,
    MAX_RETRY_DELAY,
    Dispatcher,
    relay_events,
)
from api.kit.effects import BatchConsumer
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services
from tests.client import Client
from tests.conftest import MovableClock
from tests.kit.conftest import capture_log
from tests.worker.delivering import (
    Record,
    count,
    ignore,
    make_consumer,
    make_effects,
    write_comments,
)
from tests.working import deliver_due, work_off


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
