"""Idempotency-Key: a registration that is sent again, by a client that lost the answer."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from api.kit.services import Services
from tests.client import PASSWORD, Client, expect, expect_problem
from tests.conftest import MovableClock
from tests.working import run_jobs

BODY = {"handle": "max", "email": "max@example.com", "password": PASSWORD}
KEY = {"Idempotency-Key": "0198f2c5-6f7a"}


async def test_the_same_request_gets_the_same_answer(client: Client) -> None:
    first = await client.post("/v1/users", BODY, headers=KEY)
    again = await client.post("/v1/users", BODY, headers=KEY)
    assert expect(first, 201) == expect(again, 201)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


async def test_a_key_stands_for_one_request(client: Client) -> None:
    expect(await client.post("/v1/users", BODY, headers=KEY), 201)
    other = await client.post("/v1/users", {**BODY, "handle": "lee"}, headers=KEY)
    expect_problem(other, 422, "idempotency_key_reused")
    assert (await client.get("/v1/users/lee")).status_code == 404
    expect_problem(await client.post("/v1/users", BODY), 409, "handle_taken")


async def test_a_refused_request_leaves_its_key_free(client: Client) -> None:
    await client.join("max")
    expect_problem(await client.post("/v1/users", BODY, headers=KEY), 409, "handle_taken")
    mended = await client.post("/v1/users", {**BODY, "handle": "lee"}, headers=KEY)
    assert expect(mended, 201)["handle"] == "lee"


async def test_a_key_belongs_to_one_address(
    app: FastAPI, client: Client, services: Services
) -> None:
    neighbours = []
    for number in (1, 2):
        transport = httpx.ASGITransport(app, client=(f"198.51.100.{number}", 50_000))
        neighbours.append(Client(httpx.AsyncClient(transport=transport, base_url="http://test")))
    one, two = neighbours
    first = await one.post("/v1/users", BODY, headers=KEY)
    expect(first, 201)
    # Neither the response to somebody else, nor in their way.
    expect_problem(await two.post("/v1/users", BODY, headers=KEY), 409, "handle_taken")
    other = {"handle": "lee", "email": "lee@example.com", "password": PASSWORD}
    assert expect(await two.post("/v1/users", other, headers=KEY), 201)["handle"] == "lee"
    again = await one.post("/v1/users", BODY, headers=KEY)
    assert again.content == first.content
    async with services.database.read_session() as session:
        owners = list(await session.scalars(text("SELECT owner FROM idempotency_keys")))
    assert len(set(owners)) == 2
    assert not any("198.51.100" in owner for owner in owners)


async def test_whoever_is_logged_in_registers_others_as_anybody_does(client: Client) -> None:
    max_ = await client.join("max")
    lee = {"handle": "lee", "email": "lee@example.com", "password": PASSWORD}
    first = await max_.client.post("/v1/users", lee, headers=KEY)
    again = await client.post("/v1/users", lee, headers=KEY)
    assert expect(first, 201) == expect(again, 201)


async def test_twenty_at_once_make_one_account(client: Client, services: Services) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/users", BODY, headers=KEY) for _ in range(20))
    )
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in made) == 1
    for answer in answers:
        if answer not in made:
            expect_problem(answer, 409, "idempotency_in_progress")
            assert answer.headers["retry-after"] == "1"
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM users")) == 1
    again = await client.post("/v1/users", BODY, headers=KEY)
    assert again.content == made[0].content


async def test_what_no_key_can_be_is_refused(client: Client) -> None:
    for key in ("", "two words", "x" * 256):
        refused = await client.post("/v1/users", BODY, headers={"Idempotency-Key": key})
        expect_problem(refused, 422, "validation_failed")
    assert (await client.get("/v1/users/max")).status_code == 404


async def test_an_answer_is_kept_for_a_day(
    client: Client, services: Services, clock: MovableClock
) -> None:
    expect(await client.post("/v1/users", BODY, headers=KEY), 201)
    clock.advance(hours=23)
    await run_jobs(services)
    assert "idempotent-replayed" in (await client.post("/v1/users", BODY, headers=KEY)).headers
    clock.advance(hours=2)
    await run_jobs(services)
    expect_problem(await client.post("/v1/users", BODY, headers=KEY), 409, "handle_taken")
