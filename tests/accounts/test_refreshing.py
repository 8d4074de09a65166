"""Refresh tokens: each is used once, a retry is forgiven, a theft ends the session."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.auth.tokens import RefreshToken
from api.kit.db.ids import make_id
from api.kit.services import Services
from api.kit.settings import Settings
from tests.client import Client, expect, expect_problem
from tests.conftest import MovableClock


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Few connections, so that a request that takes two of them is soon in its own way."""
    return settings.model_copy(update={"database_pool_size": 2})


async def refresh(client: Client, token: str) -> httpx.Response:
    return await client.post("/v1/sessions/refresh", {"refresh_token": token})


async def renew(client: Client, tokens: dict[str, Any]) -> dict[str, Any]:
    renewed: dict[str, Any] = expect(await refresh(client, tokens["refresh_token"]), 201)
    return renewed


async def is_in(client: Client, tokens: dict[str, Any]) -> bool:
    answer = await Client(client.http, tokens["access_token"]).get("/v1/me")
    return answer.status_code == 200


async def test_a_refresh_gives_the_next_pair_of_the_same_session(
    client: Client, clock: MovableClock
) -> None:
    first = (await client.join("max")).tokens
    clock.advance(minutes=11)
    assert not await is_in(client, first)
    second = await renew(client, first)
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert await is_in(client, second)
    clock.advance(minutes=11)
    third = await renew(client, second)
    me = Client(client.http, third["access_token"])
    [session] = expect(await me.get("/v1/sessions"), 200)["data"]
    assert session["is_current"]
    assert session["created_at"] < session["last_used_at"]


async def test_a_retry_within_ten_seconds_gets_the_same_successor(
    client: Client, clock: MovableClock
) -> None:
    first = (await client.join("max")).tokens
    second = await renew(client, first)
    clock.advance(seconds=9)
    again = await renew(client, first)
    assert again == {**second, "expires_in": again["expires_in"]}
    assert 585 <= again["expires_in"] < second["expires_in"] == 600
    assert await is_in(client, again)
    # The retry does not make the grace longer.
    clock.advance(seconds=2)
    expect_problem(await refresh(client, first["refresh_token"]), 401, "invalid_refresh_token")


async def test_a_clock_that_was_moved_back_does_not_stretch_the_grace(
    client: Client, clock: MovableClock
) -> None:
    for back in ({"seconds": 5}, {"hours": 1}):
        first = (await client.join()).tokens
        second = await renew(client, first)
        clock.advance(**{unit: -amount for unit, amount in back.items()})
        expect_problem(await refresh(client, first["refresh_token"]), 401, "invalid_refresh_token")
        assert not await is_in(client, second)


async def test_two_refreshes_at_once_get_the_same_pair(client: Client) -> None:
    tokens = (await client.join("max")).tokens
    for _ in range(5):
        pairs = await asyncio.gather(*(renew(client, tokens) for _ in range(8)))
        assert len({pair["refresh_token"] for pair in pairs}) == 1
        assert len({pair["access_token"] for pair in pairs}) == 1
        tokens = pairs[0]
        assert await is_in(client, tokens)


async def test_a_refused_refresh_leaves_its_trace_and_nothing_else(
    client: Client, services: Services, clock: MovableClock
) -> None:
    first = (await client.join("max")).tokens
    await renew(client, first)
    clock.advance(seconds=11)
    for _ in range(2):
        expect_problem(await refresh(client, first["refresh_token"]), 401, "invalid_refresh_token")
    async with services.database.read_session() as session:
        rows = (await session.execute(text("SELECT revoked_at, rotated_at FROM sessions"))).all()
        assert [row.revoked_at > row.rotated_at for row in rows] == [True]
        assert await session.scalar(text("SELECT count(*) FROM credentials")) == 2


async def test_a_token_used_again_ends_the_session(client: Client, clock: MovableClock) -> None:
    first = (await client.join("max")).tokens
    elsewhere = (await client.log_in("max")).tokens
    second = await renew(client, first)
    clock.advance(seconds=11)
    refused = await refresh(client, first["refresh_token"])
    expect_problem(refused, 401, "invalid_refresh_token")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert not await is_in(client, second)
    expect_problem(await refresh(client, second["refresh_token"]), 401, "invalid_refresh_token")
    assert await is_in(client, elsewhere)


async def test_a_token_two_uses_old_ends_the_session_even_within_the_grace(client: Client) -> None:
    first = (await client.join("max")).tokens
    third = await renew(client, await renew(client, first))
    expect_problem(await refresh(client, first["refresh_token"]), 401, "invalid_refresh_token")
    assert not await is_in(client, third)


async def test_thefts_at_once_do_not_wait_for_each_other(
    client: Client, services: Services, clock: MovableClock
) -> None:
    people = [await client.join() for _ in range(4)]
    for person in people:
        await renew(client, person.tokens)
    clock.advance(seconds=11)
    answers = await asyncio.gather(
        *(refresh(client, person.tokens["refresh_token"]) for person in people)
    )
    assert {answer.status_code for answer in answers} == {401}
    async with services.database.read_session() as session:
        lasting = text("SELECT count(*) FROM sessions WHERE revoked_at IS NULL")
        assert await session.scalar(lasting) == 0


async def test_what_is_no_refresh_token_is_refused(client: Client) -> None:
    max_ = await client.join("max")
    good = str(max_.tokens["refresh_token"])
    for token in (
        "x",
        good.removeprefix("pal_rt_"),
        good[:-1],
        good[:-4],
        good[:-4] + "ÄÄÄÄ",
        "pal_rt_" + good,
        str(max_.tokens["access_token"])[:100],
        str(RefreshToken.make(make_id())),
    ):
        expect_problem(await refresh(client, token), 401, "invalid_refresh_token")
    for body in ({}, {"refresh_token": ""}, {"refresh_token": "x" * 101}, {"refresh_token": 1}):
        answer = await client.post("/v1/sessions/refresh", body)
        expect_problem(answer, 422, "validation_failed")
    await renew(client, max_.tokens)


async def test_no_token_is_stored_in_the_clear(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    await renew(client, max_.tokens)
    secret = RefreshToken.parse(max_.tokens["refresh_token"]).secret
    async with services.database.read_session() as session:
        rows = await session.execute(text("SELECT token_hash, previous_token_hash FROM sessions"))
        [(current, previous)] = rows.all()
    assert len(current) == len(previous) == 32
    assert secret not in (current, previous)
