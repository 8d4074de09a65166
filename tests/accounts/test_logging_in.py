"""Logging in, seeing one's logins, and logging out."""

from typing import Literal

import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters

from api.kit.services import Services
from api.users.service import adopt_author
from tests.client import PASSWORD, Client, Person, expect, expect_problem
from tests.conftest import MovableClock


async def log_in(client: Client, login: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/sessions", {"login": login, "password": password})


async def sessions_of(person: Person) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = expect(await person.client.get("/v1/sessions"), 200)["data"]
    return listed


async def test_the_login_is_the_handle_or_the_address_in_any_case(client: Client) -> None:
    max_ = await client.join("max", email="Max.P@example.com")
    for login in (
        "max",
        "MAX",
        " max ",
        "max.p@example.com",
        "MAX.P@EXAMPLE.COM",
        "\uff4d\uff41\uff58",
    ):
        tokens = expect(await log_in(client, login), 201)
        assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
        me = expect(await Client(client.http, tokens["access_token"]).get("/v1/me"), 200)
        assert me["id"] == max_.id


async def test_nobody_learns_why_a_login_fails(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.join("max")
    async with services.unit_of_work() as uow:
        await adopt_author(uow, "Imported Author")  # nobody can log in as them
    compared: list[str] = []
    verify = PasswordHasher.verify

    def count(hasher: PasswordHasher, encoded: str, password: str) -> Literal[True]:
        compared.append(encoded)
        return verify(hasher, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", count)
    answers = [
        await log_in(client, "max", "a wrong password"),
        await log_in(client, "max@example.com", "a wrong password"),
        await log_in(client, "nobody-here", "a wrong password"),
        await log_in(client, "nobody@example.com", "a wrong password"),
        await log_in(client, "imported-author", "a wrong password"),
        await log_in(client, "imported-author", "nobody has this password"),
        await log_in(client, "%", "a wrong password"),
    ]
    problems = [expect_problem(answer, 401, "invalid_credentials") for answer in answers]
    for problem in problems:
        del problem["request_id"]
    assert all(problem == problems[0] for problem in problems)
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    # Each took the same work: one comparison of the same cost.
    assert len(compared) == len(answers)
    assert len({str(extract_parameters(encoded)) for encoded in compared}) == 1


async def test_what_cannot_be_a_login_is_refused(client: Client) -> None:
    for body in (
        {"login": "max"},
        {"login": "", "password": PASSWORD},
        {"login": "ma\x00x", "password": PASSWORD},
        {"login": "m" * 255, "password": PASSWORD},
        {"login": "max", "password": "s" * 129},
        {"login": "max", "password": PASSWORD, "remember": True},
        {"login": ["max"], "password": PASSWORD},
    ):
        refused = await client.post("/v1/sessions", body)
        expect_problem(refused, 422, "validation_failed")
        assert PASSWORD not in refused.text


async def test_logins_are_listed_newest_first(client: Client, clock: MovableClock) -> None:
    phone = await client.join("max")
    clock.advance(minutes=1)
    login = {"login": "max", "password": PASSWORD}
    agent = {"User-Agent": "laptop " + "x" * 300}
    tokens = expect(await client.post("/v1/sessions", login, headers=agent), 201)
    laptop = Person(Client(client.http, tokens["access_token"]), phone.user, tokens)
    await client.join("somebody-else")
    newer, older = await sessions_of(laptop)
    assert newer["user_agent"] == agent["User-Agent"][:256]
    assert (newer["is_current"], older["is_current"]) == (True, False)
    assert str(older["created_at"]) < str(newer["created_at"])
    assert newer.keys() == older.keys()
    assert not {"token_hash", "refresh_token"} & newer.keys()
    assert [session["is_current"] for session in await sessions_of(phone)] == [False, True]


async def test_logging_out_here_ends_this_login_at_once(client: Client) -> None:
    max_ = await client.join("max")
    other = await client.log_in("max")
    expect(await max_.client.delete("/v1/sessions/current"), 204)
    expect_problem(await max_.client.get("/v1/me"), 401, "not_authenticated")
    expect_problem(await max_.client.delete("/v1/sessions/current"), 401, "not_authenticated")
    refreshed = await client.post(
        "/v1/sessions/refresh", {"refresh_token": max_.tokens["refresh_token"]}
    )
    expect_problem(refreshed, 401, "invalid_refresh_token")
    assert len(await sessions_of(other)) == 1


async def test_logging_out_elsewhere_ends_that_login_at_once(client: Client) -> None:
    here = await client.join("max")
    there = await client.log_in("max")
    [away] = [one["id"] for one in await sessions_of(here) if not one["is_current"]]
    expect(await here.client.delete(f"/v1/sessions/{away}"), 204)
    # Also where a bad token would only be a nuisance: nobody is silently taken for a stranger.
    expect_problem(await there.client.get("/v1/me"), 401, "not_authenticated")
    expect_problem(await there.client.get("/v1/users?prefix=m"), 401, "not_authenticated")
    expect(await here.client.get("/v1/me"), 200)
    again = await here.client.delete(f"/v1/sessions/{away}")
    expect_problem(again, 404, "session_not_found")


async def test_nobody_ends_the_logins_of_others(client: Client) -> None:
    max_, lee = await client.join("max"), await client.join("lee")
    [session] = await sessions_of(max_)
    refused = await lee.client.delete(f"/v1/sessions/{session['id']}")
    expect_problem(refused, 404, "session_not_found")
    expect(await max_.client.get("/v1/me"), 200)
    expect_problem(await client.get("/v1/sessions"), 401, "not_authenticated")


async def test_a_login_nobody_uses_ends_after_30_days(client: Client, clock: MovableClock) -> None:
    max_ = await client.join("max")
    refresh = {"refresh_token": max_.tokens["refresh_token"]}
    clock.advance(days=29, hours=23)
    fresh = expect(await client.post("/v1/sessions/refresh", refresh), 201)
    clock.advance(days=30, seconds=1)
    refresh = {"refresh_token": fresh["refresh_token"]}
    refused = await client.post("/v1/sessions/refresh", refresh)
    expect_problem(refused, 401, "invalid_refresh_token")
    assert len(await sessions_of(await client.log_in("max"))) == 1
