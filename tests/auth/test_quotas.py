"""Rate limits as clients meet them: who is counted, by what, and what they are told."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.accounts import service as accounts
from api.auth.quotas import QUOTAS, Action
from api.kit.settings import Settings
from tests.client import PASSWORD, Client, Person, expect, expect_problem
from tests.conftest import MovableClock

PROXY = "192.0.2.1"

Connect = Callable[..., Client]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Limits as they ship, behind one proxy of ours."""
    return settings.model_copy(
        update={"rate_limits_enabled": True, "trusted_proxies": (ip_network(PROXY),)}
    )


@pytest.fixture
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted here are attempts, so each may take a microsecond."""

    async def compare(password: str, encoded: str | None) -> bool:
        return encoded is not None and password == PASSWORD

    monkeypatch.setattr(accounts, "verify_password", compare)


@pytest.fixture
def behind(app: FastAPI, client: Client) -> Connect:
    """Return how to connect from an address, with the X-Forwarded-For that it sends."""

    def connect(peer: str, forwarded_for: str | None = None, token: str | None = None) -> Client:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 50_000))
        headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
        http = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        return Client(http, token)

    return connect


def remaining(answer: httpx.Response) -> dict[str, int]:
    found = re.findall(r'"(\w+)";r=(\d+);t=\d+', answer.headers["ratelimit"])
    return {name: int(count) for name, count in found}


async def guess(client: Client, login: str) -> httpx.Response:
    return await client.post("/v1/sessions", {"login": login, "password": "not the password"})


async def register(client: Client, handle: str) -> httpx.Response:
    body = {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD}
    return await client.post("/v1/users", body)


async def test_every_answer_says_what_is_left(client: Client) -> None:
    first = await client.get("/v1/users?prefix=ma")
    assert first.headers["ratelimit-policy"] == '"user_complete";q=30;w=60'
    assert first.headers["ratelimit"] == '"user_complete";r=29;t=60'
    assert "retry-after" not in first.headers
    # A request that does not validate was one, too.
    invalid = await client.get("/v1/users")
    expect_problem(invalid, 422, "validation_failed")
    assert invalid.headers["ratelimit-policy"] == first.headers["ratelimit-policy"]
    assert remaining(invalid) == {"user_complete": 28}
    assert "ratelimit" not in (await client.get("/v1/articles")).headers


async def test_too_many_are_told_when_to_come_back(client: Client) -> None:
    for left in reversed(range(30)):
        answer = await client.get("/v1/users?prefix=ma")
        assert remaining(answer) == {"user_complete": left}
    refused = await client.get("/v1/users?prefix=ma")
    expect_problem(refused, 429, "rate_limited")
    assert refused.headers["ratelimit-policy"] == '"user_complete";q=30;w=60'
    assert remaining(refused) == {"user_complete": 0}
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["cache-control"] == "no-store"
    # Another action has another quota.
    expect(await register(client, "max"), 201)


async def log_in(client: Client, login: str) -> httpx.Response:
    return await client.post("/v1/sessions", {"login": login, "password": PASSWORD})


@pytest.mark.usefixtures("quick_hashing")
async def test_ten_strangers_do_not_lock_the_owner_out(behind: Connect) -> None:
    home = behind("203.0.113.7")
    expect(await register(home, "max"), 201)
    expect(await log_in(home, "max"), 201)
    names = ("max", "MAX", "max@example.com", " Max@Example.com ")
    for number in range(10):
        stranger = behind(f"198.51.100.{number}")
        guessed = await guess(stranger, names[number % len(names)])
        expect_problem(guessed, 401, "invalid_credentials")
        assert remaining(guessed) == {"login_address": 19, "login_account": 9}
    # Whoever guesses right after that is not told so, by whichever name and wherever they are.
    for number, name in enumerate(names, start=10):
        expect_problem(
            await log_in(behind(f"198.51.100.{number}"), name), 401, "invalid_credentials"
        )
    for name in ("max", "max@example.com"):
        expect(await log_in(home, name), 201)
    # Another account is not concerned.
    expect(await register(home, "lee"), 201)
    expect(await log_in(behind("198.51.100.99"), "lee"), 201)


@pytest.mark.usefixtures("quick_hashing")
async def test_guesses_from_a_known_address_are_counted_apart(behind: Connect) -> None:
    home, work = behind("203.0.113.7"), behind("203.0.113.8")
    expect(await register(home, "max"), 201)
    for place in (home, work):
        expect(await log_in(place, "max"), 201)
    for number in range(10):
        guessed = await guess(home, ("max", "max@example.com")[number % 2])
        expect_problem(guessed, 401, "invalid_credentials")
    expect_problem(await log_in(home, "max"), 401, "invalid_credentials")
    expect(await log_in(work, "max"), 201)
    expect(await log_in(behind("198.51.100.1"), "max"), 201)


@pytest.mark.usefixtures("quick_hashing")
async def test_no_count_tells_whether_an_account_exists(behind: Connect) -> None:
    home = behind("203.0.113.7")
    expect(await register(home, "max"), 201)
    expect(await log_in(home, "max"), 201)

    async def look(client: Client, login: str) -> tuple[object, ...]:
        answer = await guess(client, login)
        left = remaining(answer)
        return answer.status_code, left["login_account"], answer.headers["ratelimit-policy"]

    for number in range(12):
        stranger = behind(f"198.51.100.{number}")
        await guess(stranger, "max")
        # Neither that the address belongs to the handle, nor that either exists.
        first = await look(stranger, "max@example.com")
        assert first == await look(stranger, "nobody@example.com") == await look(stranger, "nobody")
    # Nor, to a neighbour, that the person has logged in from here.
    neighbour = behind("203.0.113.7")
    assert await look(neighbour, "max@example.com") == await look(neighbour, "nobody@example.com")


@pytest.mark.usefixtures("quick_hashing")
async def test_an_honest_person_is_told_when_to_try_again(behind: Connect) -> None:
    client = behind("198.51.100.1")
    for left in reversed(range(10)):
        assert remaining(await guess(client, "max"))["login_account"] == left
    refused = await guess(client, "max")
    expect_problem(refused, 429, "rate_limited")
    assert 290 <= int(refused.headers["retry-after"]) <= 300
    # All or nothing: the address has not paid for what was refused.
    assert remaining(refused) == {"login_address": 10, "login_account": 0}
    assert refused.headers["ratelimit-policy"] == (
        '"login_address";q=20;w=60, "login_account";q=10;w=300'
    )


@pytest.mark.usefixtures("quick_hashing")
async def test_guesses_from_an_address_are_counted_whomever_they_try(behind: Connect) -> None:
    stranger = behind("198.51.100.1")
    for number in range(20):
        guessed = await guess(stranger, f"person-{number}")
        expect_problem(guessed, 401, "invalid_credentials")
    refused = await guess(stranger, "one-more")
    expect_problem(refused, 429, "rate_limited")
    assert remaining(refused) == {"login_address": 0, "login_account": 10}
    neighbour = behind("198.51.100.2")
    expect_problem(await guess(neighbour, "one-more"), 401, "invalid_credentials")


async def test_an_invented_address_is_nobody_new(behind: Connect) -> None:
    for number, left in enumerate(reversed(range(25, 30))):
        liar = behind("198.51.100.1", f"203.0.113.{number}")
        assert remaining(await liar.get("/v1/users?prefix=ma")) == {"user_complete": left}
    # Nor to the left of what our proxy wrote.
    for number, left in enumerate(reversed(range(25, 30))):
        liar = behind(PROXY, f"203.0.113.{number}, 198.51.100.7")
        assert remaining(await liar.get("/v1/users?prefix=ma")) == {"user_complete": left}


async def test_people_behind_our_proxy_are_counted_each(behind: Connect) -> None:
    for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8:0:1::1"):
        person = behind(PROXY, address)
        assert remaining(await person.get("/v1/users?prefix=ma")) == {"user_complete": 29}
    # One customer has a network of IPv6 addresses.
    same = behind(PROXY, "2001:db8::ffff")
    assert remaining(await same.get("/v1/users?prefix=ma")) == {"user_complete": 28}


async def test_people_are_counted_wherever_they_are(behind: Connect, client: Client) -> None:
    max_ = await client.join("max")
    for left in (59, 58):
        person = behind(f"198.51.100.{left}", token=max_.tokens["access_token"])
        assert remaining(await person.get("/v1/users?prefix=ma")) == {"user_complete": left}
    assert remaining(await client.get("/v1/users?prefix=ma")) == {"user_complete": 29}


async def test_trust_grows_with_time_and_role(
    client: Client, clock: MovableClock, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    async def policy_of(person: Person) -> str:
        answer = await person.client.patch("/v1/me", {}, headers={"If-Match": "*"})
        expect(answer, 200)
        return str(answer.headers["ratelimit-policy"])

    assert await policy_of(await client.join("max")) == '"profile_edit";q=10;w=3600'
    clock.advance(hours=23, minutes=59)
    assert await policy_of(await client.log_in("max")) == '"profile_edit";q=10;w=3600'
    clock.advance(minutes=2)
    assert await policy_of(await client.log_in("max")) == '"profile_edit";q=20;w=3600'
    for role in ("moderator", "admin"):
        assert await policy_of(await make_staff(role)) == '"profile_edit";q=100;w=3600'


async def test_strangers_are_told_to_log_in_not_to_wait(client: Client) -> None:
    for _ in range(3):
        for answer in (
            await client.patch("/v1/me", {}, headers={"If-Match": "*"}),
            await client.post("/v1/articles", {"title": "Hello"}),
            await client.put("/v1/articles/hello/vote", {"value": 1}),
        ):
            expect_problem(answer, 401, "not_authenticated")
            assert "ratelimit" not in answer.headers


async def test_a_new_account_is_no_new_quota(client: Client) -> None:
    first = await register(client, "person-1")
    assert first.headers["ratelimit-policy"] == '"user_register";q=20;w=3600'
    assert remaining(first) == {"user_register": 19}
    person = await client.log_in("person-1")
    second = await register(person.client, "person-2")
    assert expect(second, 201)["handle"] == "person-2"
    assert remaining(second) == {"user_register": 18}
    expect_problem(taken := await register(client, "person-2"), 409, "handle_taken")
    assert remaining(taken) == {"user_register": 17}
    token: Any = {"refresh_token": person.tokens["refresh_token"]}
    refreshed = await person.client.post("/v1/sessions/refresh", token)
    assert remaining(refreshed) == {"session_refresh": 29}
    again = await client.post("/v1/sessions/refresh", token)
    assert remaining(again) == {"session_refresh": 28}


async def test_every_write_has_a_quota_but_logging_out(client: Client) -> None:
    document = expect(await client.get("/openapi.json"), 200)
    free = {
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in {"post", "put", "patch", "delete"} and "429" not in operation["responses"]
    }
    assert free == {"delete_session", "delete_current_session"}
    assert {action for action, _ in QUOTAS} == set(Action)
