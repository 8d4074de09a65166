"""Writing twice: one change and one answer for all requests under a key."""

import asyncio
import dataclasses
from typing import Any

import asyncpg
import httpx
import pytest

from api.kit.services import Services
from tests.client import PASSWORD, Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.connections import connect_arguments
from tests.kit.conftest import OpenClient
from tests.waiting import PATIENCE, wait_until
from tests.working import run_jobs

BODY = {"title": "Once", "body": "Only once."}


async def send(
    person: Client, path: str, body: dict[str, Any], key: str = "key-1"
) -> httpx.Response:
    return await person.post(path, body, headers={"Idempotency-Key": key})


def expect_replay(first: httpx.Response, again: httpx.Response) -> None:
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    for header in ("content-type", "etag", "location"):
        assert again.headers[header] == first.headers[header]


async def count_comments(client: Client, article: dict[str, Any]) -> int:
    read = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
    return int(read["comment_count"])


async def start_thread(client: Client) -> tuple[Person, dict[str, Any], str]:
    person = await client.join()
    article = await person.post_article()
    return person, article, f"/v1/articles/{article['id']}/comments"


async def test_an_article_sent_twice_is_published_once(client: Client) -> None:
    person = await client.join()
    first = await send(person.client, "/v1/articles", BODY)
    expect_replay(first, await send(person.client, "/v1/articles", BODY))
    assert len(expect(await client.get("/v1/articles"), 200)["data"]) == 1
    other = await send(person.client, "/v1/articles", BODY, "key-2")
    assert expect(other, 201)["slug"] == "once-2"


async def test_a_comment_sent_twice_is_written_once_and_the_answer_stays_what_it_was(
    client: Client,
) -> None:
    person, article, path = await start_thread(client)
    first = await send(person.client, path, {"body": "I see."})
    expect(await person.edit(first.json()["id"], "I don't."), 200)
    expect_replay(first, await send(person.client, path, {"body": "I see."}))
    assert await count_comments(client, article) == 1


async def test_a_registration_sent_twice_makes_one_account(client: Client) -> None:
    body = {"handle": "ada", "email": "ada@example.com", "password": PASSWORD}
    first = await send(client, "/v1/users", body)
    expect_replay(first, await send(client, "/v1/users", body))


async def test_the_key_belongs_to_its_first_request(client: Client) -> None:
    person, article, path = await start_thread(client)
    expect(await send(person.client, path, {"body": "One."}), 201)
    for path_of_another, body in ((path, {"body": "Two."}), ("/v1/articles", BODY)):
        reused = await send(person.client, path_of_another, body)
        expect_problem(reused, 422, "idempotency_key_reused")
    assert await count_comments(client, article) == 1


async def test_the_same_body_elsewhere_is_another_request(client: Client) -> None:
    person, article, path = await start_thread(client)
    _, other_article, other_path = await start_thread(client)
    expect(await send(person.client, path, {"body": "I see."}), 201)
    reused = await send(person.client, other_path, {"body": "I see."})
    expect_problem(reused, 422, "idempotency_key_reused")
    assert await count_comments(client, article) == 1
    assert await count_comments(client, other_article) == 0


async def test_another_person_may_choose_the_same_key(client: Client) -> None:
    person, article, path = await start_thread(client)
    other = await client.join()
    mine = await send(person.client, path, {"body": "Me too."})
    theirs = await send(other.client, path, {"body": "Me too."})
    assert expect(mine, 201)["id"] != expect(theirs, 201)["id"]
    assert "idempotent-replayed" not in theirs.headers
    assert await count_comments(client, article) == 2


async def test_while_the_first_request_runs_the_second_is_told_to_ask_again(
    client: Client, database_url: str
) -> None:
    person, article, path = await start_thread(client)
    blocker = await asyncpg.connect(**connect_arguments(database_url))
    try:
        async with blocker.transaction():
            await blocker.execute("SELECT FROM articles WHERE id = $1 FOR UPDATE", article["id"])
            first = asyncio.create_task(send(person.client, path, {"body": "Slow."}))
            await wait_until_blocked(blocker)
            second = await send(person.client, path, {"body": "Slow."})
            expect_problem(second, 409, "idempotency_in_progress")
            assert second.headers["retry-after"] == "1"
            unrelated = await send(person.client, "/v1/articles", BODY, "key-2")
            expect(unrelated, 201)
        answered = await first
    finally:
        await blocker.close()
    expect_replay(answered, await send(person.client, path, {"body": "Slow."}))
    assert await count_comments(client, article) == 1


async def wait_until_blocked(connection: asyncpg.Connection) -> None:
    """Wait until somebody waits for a lock of this connection."""
    await wait_until(
        lambda: connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted "
            "AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
    )


@pytest.mark.parametrize("target", ["articles", "comments", "users"])
async def test_twenty_at_once_make_one_row_and_equal_answers(client: Client, target: str) -> None:
    person, article, path = await start_thread(client)
    sender, path, body = {
        # A chosen slug can be had once, so that carrying it out twice would be seen.
        "articles": (person.client, "/v1/articles", {**BODY, "slug": "only-once"}),
        "comments": (person.client, path, {"body": "Once."}),
        "users": (
            client,
            "/v1/users",
            {"handle": "eve", "email": "eve@example.com", "password": PASSWORD},
        ),
    }[target]

    async def insist() -> httpx.Response:
        async with asyncio.timeout(PATIENCE):
            while (response := await send(sender, path, body)).status_code == 409:
                expect_problem(response, 409, "idempotency_in_progress")
                await asyncio.sleep(0.01)
        return response

    answers = await asyncio.gather(*(insist() for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    if target == "comments":
        assert await count_comments(client, article) == 1


async def test_a_refused_request_keeps_nothing(client: Client) -> None:
    person, article, path = await start_thread(client)
    missing = {"body": "Hello.", "parent_id": article["id"]}
    expect_problem(await send(person.client, path, missing), 404, "parent_not_found")
    expect_problem(await send(person.client, path, {"body": ""}), 422, "validation_failed")
    response = await send(person.client, path, {"body": "Hello."})
    expect(response, 201)
    assert "idempotent-replayed" not in response.headers


async def test_an_answer_is_kept_for_a_day_and_not_longer(
    client: Client, services: Services, clock: MovableClock
) -> None:
    person, _, path = await start_thread(client)
    first = await send(person.client, path, {"body": "Again?"})
    clock.advance(hours=23, minutes=59)
    await run_jobs(services)
    person = await client.log_in(person.handle)
    expect_replay(first, await send(person.client, path, {"body": "Again?"}))
    clock.advance(minutes=2)
    await run_jobs(services)
    second = await send(person.client, path, {"body": "Again?"})
    assert expect(second, 201)["id"] != first.json()["id"]
    assert "idempotent-replayed" not in second.headers


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "näh"])
async def test_a_key_is_short_and_plain(client: Client, key: str) -> None:
    response = await client.post(
        "/v1/users",
        {"handle": "ada", "email": "ada@example.com", "password": PASSWORD},
        headers={"Idempotency-Key": key.encode()},
    )
    problem = expect_problem(response, 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_a_replay_counts_against_the_limit_and_says_so(
    services: Services, open_client: OpenClient
) -> None:
    settings = services.settings.model_copy(update={"rate_limits_enabled": True})
    async with open_client(dataclasses.replace(services, settings=settings)) as client:
        person, _, path = await start_thread(client)
        first = await send(person.client, path, {"body": "I see."})
        again = await send(person.client, path, {"body": "I see."})
    expect_replay(first, again)
    assert first.headers["ratelimit"].startswith('"comment_create";r=4;')
    assert again.headers["ratelimit"].startswith('"comment_create";r=3;')
