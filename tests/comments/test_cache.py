"""The tree cache: never older than an acknowledged write, and never needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.comments.tree import assembly as tree
from api.kit.cache.versioned import RenderedPage, VersionedCache
from api.kit.db.ids import make_id
from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import Process


async def bodies(client: Client, article: str, coding: str) -> httpx.Response:
    return await client.get(f"/v1/articles/{article}/comments", headers={"Accept-Encoding": coding})


async def test_a_page_that_was_seen_is_answered_304(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    first = await client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    seen = await client.get(path, headers={"If-None-Match": tag})
    assert (seen.status_code, seen.content, seen.headers["etag"]) == (304, b"", tag)
    await person.reply(article["id"])
    changed = await client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert "Accept-Encoding" in changed.headers["vary"]
    assert changed.headers["cache-control"] == "public, no-cache"
    assert (await person.client.get(path)).headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity", "gzip;q=0, zstd", "br"])
async def test_each_coding_holds_the_same_tree(client: Client, coding: str) -> None:
    person = await client.join()
    article = await person.post_article()
    await person.reply(article["id"], "word " * 500)
    plain = await bodies(client, article["id"], "identity")
    coded = await bodies(client, article["id"], coding)
    assert coded.json() == plain.json()
    expected = {"gzip": "gzip", "zstd": "zstd", "gzip;q=0, zstd": "zstd"}.get(coding)
    assert coded.headers.get("content-encoding") == expected
    assert coded.headers["etag"] == plain.headers["etag"]
    if expected:
        assert int(coded.headers["content-length"]) < int(plain.headers["content-length"])


async def test_min_version_is_never_older(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    await client.get(path)
    written = await person.reply(article["id"])

    # As if the writer's message to Redis had been lost.
    async def set_back(redis: Any) -> None:
        [pointer] = [key async for key in redis.scan_iter(f"tree:{{{article['id']}}}:*:v")]
        await redis.set(pointer, article["version"])

    await services.redis.call(set_back)
    fresh = await client.get(path, params={"min_version": written["version"]})
    assert expect(fresh, 200)["version"] == written["version"]
    future = await client.get(path, params={"min_version": written["version"] + 1})
    expect_problem(future, 409, "version_not_reached")


async def test_a_reader_held_before_its_store_serves_nothing_stale(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    start_process: Callable[[], Awaitable[Process]],
) -> None:
    """It read the rows, a writer commits, and only then may it go on."""
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    find_tree = tree.find_tree

    async def find_slowly(*arguments: Any) -> Any:
        rows = await find_tree(*arguments)
        has_read.set()
        await may_go_on.wait()
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(tree, "find_tree", find_slowly)
        slow = asyncio.create_task(client.get(path))
        await has_read.wait()
    written = await person.reply(article["id"])
    # A reader that begins after the write, while the slow one still holds its old rows.
    quick = asyncio.create_task(client.get(path))
    await asyncio.sleep(0.05)
    may_go_on.set()
    assert expect(await slow, 200)["version"] == article["version"]
    assert expect(await quick, 200)["version"] == written["version"]
    for process in (client, (await start_process()).client):
        assert expect(await process.get(path), 200)["version"] == written["version"]


class Source:
    """A database of one number, that says how often it was read."""

    def __init__(self) -> None:
        self.version = 1
        self.reads = 0
        self.has_been_read = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def build(self) -> RenderedPage:
        self.reads += 1
        version = self.version
        self.has_been_read.set()
        await self.may_answer.wait()
        return RenderedPage(version, f'{{"version": {version}}}'.encode())


def another_process(services: Services) -> VersionedCache:
    return VersionedCache(services.redis, services.epoch, namespace="test")


async def read(cache: VersionedCache, subject: UUID, source: Source) -> int:
    return (await cache.read(subject, "x", source.build, await cache.begin_read(subject))).version


async def test_five_hundred_readers_make_one_build(services: Services, client: Client) -> None:
    source, subject, cache = Source(), make_id(), another_process(services)
    source.may_answer.set()
    assert set(await asyncio.gather(*(read(cache, subject, source) for _ in range(500)))) == {1}
    assert source.reads == 1


async def test_readers_without_redis_share_builds_that_began_after_them(
    services: Services, client: Client
) -> None:
    source, subject, cache = Source(), make_id(), another_process(services)
    early = asyncio.create_task(read(cache, subject, source))
    await source.has_been_read.wait()
    source.version = 2
    # No pointer says what is newest, so the build under way may be too old for these.
    late = [asyncio.create_task(read(cache, subject, source)) for _ in range(100)]
    await asyncio.sleep(0.05)
    source.may_answer.set()
    assert await early == 1
    assert set(await asyncio.gather(*late)) == {2}
    assert source.reads == 2


async def test_two_processes_make_one_build(services: Services, client: Client) -> None:
    source, subject = Source(), make_id()
    one, two = another_process(services), another_process(services)
    await one.publish_versions({subject: 1})
    asyncio.get_running_loop().call_later(0.05, source.may_answer.set)
    versions = await asyncio.gather(
        *(read(cache, subject, source) for cache in (one, two) for _ in range(50))
    )
    assert set(versions) == {1}
    assert source.reads == 1


async def test_who_waits_for_a_page_takes_the_newer_one_that_was_built(
    services: Services, client: Client
) -> None:
    """The builder was asked for one version and read the next: nobody waits for the first."""
    subject = make_id()
    one, two = another_process(services), another_process(services)
    await one.publish_versions({subject: 1})
    is_building, may_read = asyncio.Event(), asyncio.Event()
    builds: list[int] = []
    version = 1

    async def build() -> RenderedPage:
        is_building.set()
        await may_read.wait()
        builds.append(version)
        return RenderedPage(version, b"{}")

    early = asyncio.create_task(one.read(subject, "x", build, await one.begin_read(subject)))
    await is_building.wait()
    pointer = await two.begin_read(subject)
    assert pointer.version == 1
    version = 2
    await one.publish_versions({subject: 2})
    waiting = asyncio.create_task(two.read(subject, "x", build, pointer))
    await asyncio.sleep(0.05)
    may_read.set()
    assert [(await early).version, (await waiting).version] == [2, 2]
    assert builds == [2]


async def test_a_build_that_fails_gives_its_lease_back(services: Services, client: Client) -> None:
    source, subject = Source(), make_id()
    one, two = another_process(services), another_process(services)
    await one.publish_versions({subject: 1})

    async def fail() -> RenderedPage:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError):
        await one.read(subject, "x", fail, await one.begin_read(subject))
    keys = await services.redis.call(lambda redis: redis.keys(f"test:*{subject}*lease"))
    assert keys == []
    source.may_answer.set()
    assert await read(two, subject, source) == 1


async def test_a_flight_that_began_before_a_write_is_not_shared_after_it(
    services: Services, client: Client
) -> None:
    source, subject, cache = Source(), make_id(), another_process(services)
    await cache.publish_versions({subject: 1})
    early = asyncio.create_task(read(cache, subject, source))
    await source.has_been_read.wait()
    source.version = 2
    await cache.publish_versions({subject: 2})
    late = asyncio.create_task(read(cache, subject, source))
    await asyncio.sleep(0.05)
    source.may_answer.set()
    assert await late == 2
    assert await early == 1


async def test_a_pointer_is_never_lowered(services: Services, client: Client) -> None:
    cache, subject = another_process(services), make_id()
    await asyncio.gather(
        *(cache.publish_versions({subject: version}) for version in (3, 9, 1, 8, 2))
    )
    assert (await cache.begin_read(subject)).version == 9
    await cache.publish_versions({subject: 5})
    assert (await cache.begin_read(subject)).version == 9


async def test_a_builder_that_dies_is_not_waited_for_long(
    services: Services, client: Client
) -> None:
    source, subject, cache = Source(), make_id(), another_process(services)
    await cache.publish_versions({subject: 1})
    dying = asyncio.create_task(read(another_process(services), subject, source))
    await source.has_been_read.wait()

    async def shorten_lease(redis: Any) -> None:
        [lease] = [key async for key in redis.scan_iter(f"test:{{{subject}}}:*:lease")]
        await redis.pexpire(lease, 200)

    await services.redis.call(shorten_lease)
    living = Source()
    living.may_answer.set()
    assert await read(cache, subject, living) == 1
    assert living.reads == 1
    source.may_answer.set()
    await dying


async def test_a_damaged_answer_is_built_anew(
    client: Client, services: Services, start_process: Callable[[], Awaitable[Process]]
) -> None:
    person: Person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    first = await client.get(path)

    async def damage(redis: Any) -> None:
        async for key in redis.scan_iter("tree:*:tree *"):
            await redis.set(key, b"\x28\xb5\x2f\xfdnonsense")

    await services.redis.call(damage)
    elsewhere = await start_process()
    assert (await elsewhere.client.get(path)).content == first.content


async def test_a_page_that_fails_does_not_stay_failed(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"

    async def fail(*_: Any) -> Any:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(tree, "find_tree", fail)
        answers = await asyncio.gather(*(client.get(path) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {500}
    expect(await client.get(path), 200)
