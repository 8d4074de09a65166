"""PostgreSQL stopped, restarted and cut off: 503 and nothing else, nothing lost, back by itself."""

import asyncio
import uuid
from pathlib import Path

import httpx

from tests.client import Client, Person, expect, expect_problem
from tests.connections import connected_to
from tests.faults.looking import read_comments, wait_until_ready, wait_until_relayed
from tests.faults.servers import Engine, running


def expect_away(response: httpx.Response) -> None:
    expect_problem(response, 503, "database_unavailable")
    assert response.headers["retry-after"] == "2"
    assert response.headers["cache-control"] == "no-store"


async def test_while_it_is_stopped_clients_are_told_to_come_back(
    forum: Client, postgres: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    first = await person.reply(article["id"])
    path = f"/v1/articles/{article['id']}/comments"
    cached = await forum.get(path)
    postgres.stop()
    try:
        for _ in range(2):
            expect_away(await person.client.post(path, {"body": "Lost."}))
            expect_away(await forum.post("/v1/sessions", {"login": "a", "password": "b"}))
            expect_away(await forum.get("/v1/articles"))
            expect_away(await forum.get(f"/v1/comments/{first['id']}"))
            expect_away(await forum.get("/readyz"))
            expect(await forum.get("/livez"), 200)
            # What the caches hold is still the newest there is.
            assert (await forum.get(path)).content == cached.content
    finally:
        postgres.start()
    await wait_until_ready(forum)
    second = await person.reply(article["id"], "Not lost.")
    tree = await forum.tree(article["id"], sort="old")
    assert [node["id"] for node in tree["data"]] == [first["id"], second["id"]]
    assert second["version"] == first["version"] + 1


async def test_restarted_under_load_it_loses_and_doubles_nothing(
    forum: Client, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    written: dict[str, str] = {}
    refused = 0
    has_stopped = asyncio.Event()

    async def write() -> None:
        """Write comments, each until it is acknowledged, and some after the restart."""
        nonlocal refused
        after_restart = 3
        while after_restart:
            key = str(uuid.uuid4())
            while key not in written:
                response = await person.client.post(
                    path, {"body": key}, headers={"Idempotency-Key": key}
                )
                if response.status_code == 201:
                    written[key] = response.json()["id"]
                    after_restart -= has_stopped.is_set()
                elif response.status_code == 409:
                    # The answer was lost with the connection, its transaction still ends.
                    expect_problem(response, 409, "idempotency_in_progress")
                else:
                    expect_away(response)
                    refused += 1
                    await asyncio.sleep(0.05)

    async def restart() -> None:
        await asyncio.sleep(0.3)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(0.3)
        has_stopped.set()
        await asyncio.to_thread(postgres.start)

    with running("worker", folder, postgres, valkey) as worker:
        await asyncio.gather(restart(), *(write() for _ in range(4)))
        assert refused > 0
        await wait_until_relayed(postgres)
        assert worker.leave() == 0
    found = await read_comments(forum, article["id"])
    assert sorted(found) == sorted(written.items())
    now = expect(await forum.get(f"/v1/articles/{article['id']}"), 200)
    assert now["comment_count"] == len(written)
    assert now["version"] == article["version"] + len(written)


async def test_connections_that_are_killed_under_load_are_replaced(
    forum: Client, postgres: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    statuses: list[int] = []
    acknowledged: list[str] = []

    async def write(number: int) -> None:
        response = await person.client.post(path, {"body": f"Number {number}"})
        statuses.append(response.status_code)
        if response.status_code == 201:
            acknowledged.append(response.json()["id"])
        else:
            expect_away(response)

    async def read() -> None:
        response = await forum.get("/v1/articles")
        statuses.append(response.status_code)
        if response.status_code != 200:
            expect_away(response)

    async with connected_to(postgres.url) as admin:
        for _ in range(6):
            asking = [asyncio.create_task(write(n)) for n in range(4)]
            asking += [asyncio.create_task(read()) for _ in range(4)]
            await asyncio.sleep(0.01)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'palaver'"
            )
            await asyncio.gather(*asking)
    assert set(statuses) <= {200, 201, 503}

    for number in range(5):
        await person.reply(article["id"], f"After {number}")
        expect(await forum.get("/v1/articles"), 200)
    found = [comment for _, comment in await read_comments(forum, article["id"])]
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    now = expect(await forum.get(f"/v1/articles/{article['id']}"), 200)
    assert now["comment_count"] == len(found)


async def test_a_login_is_still_good_after_a_restart(forum: Client, postgres: Engine) -> None:
    person: Person = await forum.join()
    postgres.stop()
    postgres.start()
    # Nobody asked meanwhile, so nobody need notice.
    expect(await person.client.get("/v1/me"), 200)
    await person.post_article()
