"""The epoch of the database: read again while it is used, and another one after a reset."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from api.kit.cache.pages import RenderedPage
from api.kit.cache.versioned import VersionedCache
from api.kit.db.database import Database, DatabaseUnavailable
from api.kit.db.epoch import REFRESH, VALID, EpochReader, reset_epoch
from api.kit.db.ids import make_id
from api.kit.services import Services
from tests.client import Client, expect
from tests.conftest import Process
from tests.waiting import wait_until


class Seconds:
    """A monotonic clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def reader(
    services: Services, client: Client, seconds: Seconds
) -> AsyncIterator[EpochReader]:
    reader = EpochReader(services.database, clock=seconds)
    yield reader
    await reader.close()


@pytest.fixture(autouse=True)
async def _settled_afterwards(services: Services, client: Client) -> AsyncIterator[None]:
    yield
    await settle(services)


async def settle(services: Services) -> None:
    """Let the time pass after which a new epoch is used for caching."""
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE database_epoch SET settled_at = '-infinity'"))


async def test_a_reset_is_noticed_without_a_restart(
    services: Services, reader: EpochReader, seconds: Seconds
) -> None:
    before = await reader.get()
    assert before.is_settled
    await reset_epoch(services.database)
    seconds.now += REFRESH - 1
    assert await reader.get() == before
    # The next read uses what is known, and lets the epoch be read again meanwhile.
    seconds.now += 1
    assert reader.find_current() == before
    await wait_until(lambda: reader.find_current() != before)
    after = await reader.get()
    assert after.value != before.value
    assert not after.is_settled
    await settle(services)
    seconds.now += VALID
    assert (await reader.get()).is_settled


async def test_what_was_read_long_ago_is_not_used(
    services: Services, reader: EpochReader, seconds: Seconds
) -> None:
    before = await reader.get()
    await reset_epoch(services.database)
    seconds.now += VALID
    assert reader.find_current() is None
    assert await reader.get() != before


async def test_without_the_database_it_is_known_for_a_while_only(seconds: Seconds) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    reader = EpochReader(nowhere, clock=seconds)
    assert reader.find_current() is None
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await reader.get()
    await reader.close()
    await nowhere.close()


async def test_a_new_epoch_caches_nothing_before_all_know_it(
    services: Services, reader: EpochReader
) -> None:
    await reset_epoch(services.database)
    subject, builds = make_id(), 0
    cache = VersionedCache(services.redis, reader, namespace="test")

    async def build() -> RenderedPage:
        nonlocal builds
        builds += 1
        return RenderedPage(1, b"{}")

    await cache.publish_versions({subject: 1})
    for expected in (1, 2):
        pointer = await cache.begin_read(subject)
        assert (pointer.version, pointer.can_store) == (None, False)
        await cache.read(subject, "x", build, pointer)
        assert builds == expected
    await settle(services)
    another = EpochReader(services.database)
    settled = VersionedCache(services.redis, another, namespace="test")
    # What was published before it was settled counts.
    assert (await settled.begin_read(subject)).version == 1
    await another.close()


async def test_a_restored_database_matches_no_tag_from_before(
    client: Client, services: Services, start_process: Callable[[], Awaitable[Process]]
) -> None:
    """The same ids, versions and revisions with other contents."""
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"], "Before.")
    cached = {
        "tree": f"/v1/articles/{article['id']}/comments",
        "replies": f"/v1/comments/{comment['id']}/replies",
        "context": f"/v1/comments/{comment['id']}/context",
        "article": f"/v1/articles/{article['slug']}",
        "list": "/v1/articles",
        "comment": f"/v1/comments/{comment['id']}",
    }
    before = {name: await client.get(path) for name, path in cached.items()}
    async with services.database.write_session() as session:
        for statement in (
            "UPDATE comments SET body = 'After.', html = '<p>After.</p>'",
            "UPDATE articles SET title = 'After'",
        ):
            await session.execute(text(statement))
    await reset_epoch(services.database)
    for is_settled in (False, True):
        if is_settled:
            await settle(services)
        process = (await start_process()).client
        for name, path in cached.items():
            tag = before[name].headers["etag"]
            now = await process.get(path, headers={"If-None-Match": tag})
            assert now.status_code == 200, name
            assert now.headers["etag"] != tag
            if name != "replies":
                assert now.content != before[name].content
        edit: dict[str, Any] = {"body": "Unseen."}
        for name in ("article", "comment"):
            seen = {"If-Match": before[name].headers["etag"]}
            refused = await process.patch(
                cached[name], edit, headers={**person.client.headers, **seen}
            )
            expect(refused, 412)
    # A later test compares this process's pages with the database.
    await services.epoch.close()
    await person.edit_anyway(comment["id"], "Later.")
    await client.patch(
        cached["article"], {"title": "Later"}, headers={**person.client.headers, "If-Match": "*"}
    )
