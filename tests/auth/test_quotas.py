"""Rate limits as clients meet them: who is counted, by what, and what they are told."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.accounts import passwords
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
    """What is counted here are tries, so each may take a microsecond."""

    def refuse(password: str, encoded: str) -> bool:
        return False

    monkeypatch.setattr(passwords, "_verify", refuse)


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


@pytest.mark.usefixtures("quick_hashing")
async def test_guesses_at_an_account_are_counted_wherever_they_come_from(behind: Connect) -> None:
    for number in range(10):
        stranger = behind(f"198.51.100.{number}")
        guessed = await guess(stranger, ("max", "MAX", " Max ")[number % 3])
        expect_problem(guessed, 401, "invalid_credentials")
        assert remaining(guessed) == {"login_address": 19, "login_account": 9 - number}
    assert guessed.headers["ratelimit-policy"] == (
        '"login_address";q=20;w=60, "login_account";q=10;w=300'
    )
    refused = await guess(behind("198.51.100.99"), "max")
    expect_problem(refused, 429, "rate_limited")
    assert 290 <= int(refused.headers["retry-after"]) <= 300
    # All or nothing: the address has not paid for what was refused.
    assert remaining(refused) == {"login_address": 20, "login_account": 0}
    expect_problem(await guess(behind("198.51.100.99"), "lee"), 401, "invalid_credentials")


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
