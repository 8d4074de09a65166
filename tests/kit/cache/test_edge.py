"""The edge answers what the app would answer, and never older than an acknowledged write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from api.kit.cache.edge import Edge
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services
from api.kit.settings import Settings
from api.main import App
from tests.client import Client, expect
from tests.conftest import Process

ORIGIN = "https://forum.example"


class Passed:
    """Counts the requests that the edge handed on to the app."""

    def __init__(self, app: App, services: Services, max_bytes: int) -> None:
        self.count = 0
        self._app = app
        app.edge = Edge(self, cache=services.cache, max_bytes=max_bytes)

    async def __call__(self, *arguments: Any) -> None:
        self.count += 1
        await self._app.answer(*arguments)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"cors_origins": (ORIGIN,)})


@pytest.fixture
def passed(app: App, client: Client, services: Services) -> Passed:
    return Passed(app, services, services.settings.cache_bytes)


async def paths_of(client: Client) -> list[str]:
    person = await client.join("max")
    article = await person.post_article("CacheTag", tags=["space"])
    comment = await person.reply(article["id"], "Some text. " * 50)
    return [
        f"/v1/articles/{article['slug']}",
        "/v1/articles",
        "/v1/articles?sort=active&tag=space&limit=1",
        f"/v1/articles/{article['id']}/comments",
        f"/v1/articles/{article['slug']}/comments?sort=old&min_version={comment['version']}",
        f"/v1/comments/{comment['id']}/replies",
        f"/v1/comments/{comment['id']}/context",
    ]


def without_what_changes(answer: httpx.Response) -> dict[str, Any]:
    headers = dict(answer.headers)
    assert headers.pop("x-request-id")
    return {"status": answer.status_code, "headers": headers, "body": answer.content}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept-Encoding": "gzip"},
        {"Accept-Encoding": "zstd, gzip"},
        {"Origin": ORIGIN},
        {"Origin": "https://elsewhere.example"},
        {"Authorization": "Bearer whatever"},
    ],
)
async def test_a_kept_answer_is_the_answer_of_the_app(
    client: Client, passed: Passed, headers: dict[str, str]
) -> None:
    for path in await paths_of(client):
        first = await client.get(path, headers=headers)
        before = passed.count
        again = await client.get(path, headers=headers)
        assert passed.count == before, path
        assert without_what_changes(again) == without_what_changes(first)
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
        tag = first.headers["etag"]
        conditional = {**headers, "If-None-Match": f'"other", {tag}'}
        unchanged = await client.get(path, headers=conditional)
        before = passed.count
        kept = await client.get(path, headers=conditional)
        assert passed.count == before, path
        assert (kept.status_code, kept.content) == (304, b"")
        assert without_what_changes(kept) == without_what_changes(unchanged)
        # A tag that the client does not have gets the whole answer.
        other = await client.get(path, headers={**headers, "If-None-Match": '"other"'})
        assert other.content == first.content


async def test_what_differs_for_the_app_differs_for_the_edge(client: Client) -> None:
    (path, *_) = await paths_of(client)
    plain = await client.get(path)
    assert plain.headers["cache-control"] == "public, no-cache"
    assert "access-control-allow-origin" not in plain.headers
    allowed = await client.get(path, headers={"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    with_credentials = await client.get(path, headers={"Authorization": "Bearer x"})
    assert with_credentials.content == plain.content
    named = await client.get(path, headers={"X-Request-Id": "my-own-id"})
    assert named.headers["x-request-id"] == "my-own-id"


async def test_other_requests_pass(client: Client, passed: Passed) -> None:
    (path, *_) = await paths_of(client)
    await client.get(path)
    for method in ("POST", "OPTIONS"):
        before = passed.count
        await client.request(method, path)
        assert passed.count == before + 1
    for private in ("/v1/me", "/v1/sessions", "/livez", "/v1/users/max", "/docs"):
        await client.get(private)
        before = passed.count
        await client.get(private)
        assert passed.count == before + 1, private


async def test_every_write_is_seen_by_every_process(
    client: Client, start_process: Callable[[], Awaitable[Process]]
) -> None:
    """Whatever changes an answer, no process gives the one from before any more."""
    other = (await start_process()).client
    person, voter = await client.join(), await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    path = f"/v1/articles/{article['id']}"
    reads = (path, f"{path}/comments", "/v1/articles?sort=active")

    async def change(what: str) -> httpx.Response:
        if what == "reply":
            return await voter.client.post(f"{path}/comments", {"body": "x"})
        if what == "edit":
            return await person.edit_anyway(comment["id"], "another text")
        if what == "lock":
            body = {"is_locked": True}
            return await person.client.patch(path, body, headers={"If-Match": "*"})
        return await person.take_back_anyway(comment["id"])

    for what in ("reply", "edit", "lock", "take back"):
        before = [(await process.get(one)).content for process in (client, other) for one in reads]
        assert (await change(what)).is_success
        after = [(await process.get(one)).content for process in (client, other) for one in reads]
        unchanged = [one for one, two in zip(before, after, strict=True) if one == two]
        assert unchanged == [], what
    assert (await person.client.delete(path, headers={"If-Match": "*"})).status_code == 204
    for process in (client, other):
        assert (await process.get(path)).status_code == 404
        assert (await process.get(f"{path}/comments")).status_code == 404
        assert expect(await process.get("/v1/articles"), 200)["data"] == []


async def test_reads_after_writes_on_two_processes(
    client: Client, start_process: Callable[[], Awaitable[Process]]
) -> None:
    other = (await start_process()).client
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments?limit=1"
    newest = 0

    async def read(process: Client) -> None:
        for _ in range(60):
            floor = newest
            assert expect(await process.get(path), 200)["version"] >= floor
            await asyncio.sleep(0)

    async def write() -> None:
        nonlocal newest
        for _ in range(15):
            newest = (await person.reply(article["id"]))["version"]

    await asyncio.gather(write(), *(read(p) for p in (client, other) for _ in range(4)))


async def test_without_redis_nothing_is_kept(
    client: Client, passed: Passed, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (await paths_of(client))[3]
    first = await client.get(path)

    async def fail(_: object) -> None:
        raise RedisUnavailable

    monkeypatch.setattr(services.redis, "call", fail)
    before = passed.count
    assert (await client.get(path)).content == first.content
    assert passed.count == before + 1
    monkeypatch.undo()


async def test_the_memory_of_the_edge_is_bounded(
    client: Client, app: App, services: Services
) -> None:
    passed = Passed(app, services, max_bytes=60_000)
    person = await client.join()
    article = await person.post_article()
    await person.reply(article["id"], "x" * 5000)
    path = f"/v1/articles/{article['id']}/comments"

    async def read(limit: int) -> int:
        """Return the bytes of a page, which is not compressed."""
        plain = {"Accept-Encoding": "identity"}
        return len((await client.get(f"{path}?limit={limit}", headers=plain)).content)

    sizes = {limit: await read(limit) for limit in range(1, 40)}
    held = []
    # The newest first: whatever is asked for in vain takes the place of the oldest.
    for limit in reversed(sizes):
        before = passed.count
        await read(limit)
        if passed.count == before:
            held.append(sizes[limit])
    assert 2 <= len(held) < len(sizes)
    assert sum(held) <= 60_000


async def test_of_a_header_sent_twice_the_edge_reads_what_the_app_reads(client: Client) -> None:
    """Else it would keep an answer for clients that cannot read it."""
    path = (await paths_of(client))[3]
    for codings in (("gzip", "identity"), ("identity", "gzip")):
        twice = [("Accept-Encoding", coding) for coding in codings]
        await client.http.get(path, headers=twice)
    for coding in ("identity", "gzip"):
        answer = await client.get(path, headers={"Accept-Encoding": coding})
        assert answer.headers.get("content-encoding", "identity") == coding
