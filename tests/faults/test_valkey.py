"""Valkey killed and frozen: everything works, nobody waits, limits hold, and it comes back."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from redis import Redis

from api.auth.actor import ActorKind
from api.auth.quotas import QUOTAS, Action
from tests.client import PASSWORD, Client, Person, expect, expect_problem, flatten
from tests.faults.looking import connected, read_metric
from tests.faults.servers import Engine, Palaver, running
from tests.waiting import PATIENCE, wait_until

VERSION_TAG = re.compile(r'W/"[0-9]+\.[^.]+\.[0-9]+"')


@contextmanager
def killed(valkey: Engine) -> Iterator[None]:
    valkey.kill()
    try:
        yield
    finally:
        valkey.stop()
        valkey.start()


@contextmanager
def frozen(valkey: Engine) -> Iterator[None]:
    valkey.freeze()
    try:
        yield
    finally:
        valkey.thaw()


async def use_everything(forum: Client) -> tuple[Person, dict[str, str]]:
    """Do what people do in a forum; every answer must be the usual one."""
    person = await forum.join()
    article = await person.post_article()
    first = await person.reply(article["id"], f"Hello @{person.handle}.")
    second = await person.reply(article["id"], "Below.", first["id"])
    path = f"/v1/articles/{article['id']}/comments"
    trees = [await forum.get(path) for _ in range(2)]
    assert trees[0].content == trees[1].content
    shown = flatten(expect(trees[0], 200)["data"])
    assert [node["id"] for node in shown] == [first["id"], second["id"]]
    seen = await forum.get(path, headers={"If-None-Match": trees[0].headers["etag"]})
    assert seen.status_code == 304
    expect(await person.edit(second["id"], "Changed."), 200)
    changed = await forum.get(path, headers={"If-None-Match": trees[0].headers["etag"]})
    assert [node["body"] for node in flatten(expect(changed, 200)["data"])][1] == "Changed."
    expect(await person.take_back(second["id"]), 204)
    assert len(flatten((await forum.tree(article["id"]))["data"])) == 1
    expect(await forum.get("/readyz"), 200)
    return person, article


async def wait_until_back(forum: Client, valkey: Engine, person: Person, article: str) -> None:
    """Write until a write's version arrives in Valkey."""
    with Redis.from_url(valkey.url, socket_timeout=PATIENCE) as redis:

        async def is_back() -> bool:
            version = (await person.reply(article))["version"]
            assert (await forum.tree(article))["version"] == version
            pointers = [redis.get(key) for key in redis.scan_iter(f"tree:{{{article}}}:*:v")]
            return str(version).encode() in pointers

        await wait_until(is_back, pause=0.2)


async def test_killed_it_is_missed_by_nobody_and_found_again(forum: Client, valkey: Engine) -> None:
    person = await forum.join()
    article = await person.post_article()
    await person.reply(article["id"])
    await forum.tree(article["id"])
    with killed(valkey):
        await use_everything(forum)
        await person.reply(article["id"])
        assert len((await forum.tree(article["id"]))["data"]) == 2
    await wait_until_back(forum, valkey, person, article["id"])


async def test_lists_without_it_have_tags_of_their_contents(forum: Client, valkey: Engine) -> None:
    person = await forum.join()
    tags = {}

    async def read_list() -> None:
        """Check that no tag of another state gives a 304, and note this one's."""
        for state, tag in tags.items():
            response = await forum.get("/v1/articles", headers={"If-None-Match": tag})
            ids = tuple(one["id"] for one in expect(response, 200)["data"])
            assert ids != state
            assert response.headers["etag"] not in tags.values()
        response = await forum.get("/v1/articles")
        tag = response.headers["etag"]
        tags[tuple(one["id"] for one in response.json()["data"])] = tag
        seen = await forum.get("/v1/articles", headers={"If-None-Match": tag})
        assert seen.status_code == 304

    await read_list()
    article = await person.post_article()
    await read_list()
    with killed(valkey):
        for _ in range(3):
            await person.post_article()
            await read_list()
    # No version, which nobody knew.
    assert not any(map(VERSION_TAG.fullmatch, [*tags.values()][-3:]))
    await wait_until_back(forum, valkey, person, article["id"])
    await person.post_article()
    await read_list()
    assert VERSION_TAG.fullmatch([*tags.values()][-1])
    assert len(set(tags.values())) == len(tags) == 6


async def test_a_write_without_it_logs_one_line_and_no_traceback(
    forum: Client, server: Palaver, valkey: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    with killed(valkey):
        await person.reply(article["id"])  # finds out that it is away
        before = len(server.log.read_bytes())
        comment = await person.reply(article["id"])
        written = server.log.read_bytes()[before:].decode()
    assert "Traceback" not in written
    assert "File " not in written
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["event_type"] for line in lines if line["level"] != "info"] == ["comment_created"]
    assert comment["version"] == 2
    await wait_until_back(forum, valkey, person, article["id"])


async def test_frozen_it_makes_nobody_wait_for_long(forum: Client, valkey: Engine) -> None:
    person = await forum.join()
    article = await person.post_article()
    before = await read_metric(forum, "palaver_redis_failures_total")
    began = time.monotonic()
    with frozen(valkey):
        await use_everything(forum)
        for number in range(30):
            await person.reply(article["id"], f"Number {number}")
            assert len((await forum.tree(article["id"]))["data"]) == number + 1
        waits = await read_metric(forum, "palaver_redis_failures_total") - before
        took = time.monotonic() - began
    # Some 70 requests, each of which would ask Valkey several times: but one call a second finds
    # out for all of them whether it is back. When it freezes, a request and the message that wakes
    # the worker can be under way together.
    assert 1 <= waits <= took + 3
    await wait_until_back(forum, valkey, person, article["id"])


async def test_frozen_under_load_it_fails_no_request(forum: Client, valkey: Engine) -> None:
    person = await forum.join()
    article = await person.post_article()
    await person.reply(article["id"])
    path = f"/v1/articles/{article['id']}/comments"
    answers: list[httpx.Response] = []

    async def read() -> None:
        answers.extend([await forum.get(path) for _ in range(15)])

    with frozen(valkey):
        await asyncio.gather(*(read() for _ in range(8)))
    assert len(answers) == 120
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.fixture
async def limited(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> AsyncIterator[Client]:
    """A client of a server that limits rates, behind a proxy on this machine."""
    with running(
        "serve",
        folder,
        postgres,
        valkey,
        rate_limits_enabled="true",
        trusted_proxies="127.0.0.1",
    ) as palaver:
        async with connected(palaver) as client:
            yield client


async def test_killed_it_leaves_limits_that_are_stricter(limited: Client, valkey: Engine) -> None:
    person = await limited.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    unknown = {"login": "nobody", "password": PASSWORD}

    async def log_in(address: str) -> httpx.Response:
        return await limited.post("/v1/sessions", unknown, headers={"X-Forwarded-For": address})

    with killed(valkey):
        half = limit_of(Action.COMMENT_CREATE, ActorKind.NEWCOMER) // 2
        sent = [await person.client.post(path, {"body": "Again."}) for _ in range(half + 2)]
        assert [answer.status_code for answer in sent] == [201] * half + [429] * 2
        expect_problem(sent[-1], 429, "rate_limited")
        assert 0 < int(sent[-1].headers["retry-after"]) <= 60
        assert sent[-1].headers["ratelimit"].startswith('"comment_create";r=0;')
        assert len((await limited.tree(article["id"]))["data"]) == half

        half = limit_of(Action.LOGIN_ACCOUNT, ActorKind.ANONYMOUS) // 2
        sent = [await log_in("192.0.2.1") for _ in range(half + 2)]
        assert [answer.status_code for answer in sent] == [401] * half + [429] * 2


def limit_of(action: Action, kind: ActorKind) -> int:
    quota = QUOTAS[action, kind]
    assert quota is not None
    return quota.limit
