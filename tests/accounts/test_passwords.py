"""Changing the password: who may, and which logins it ends."""

import asyncio
import os
import sys
import threading
from typing import Any, Literal

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from api.accounts import passwords
from api.accounts import service as accounts
from api.kit.services import Services
from tests.client import PASSWORD, Client, Person, expect, expect_problem

NEW = "another good password"


async def change(person: Person, current: str = PASSWORD, new: str = NEW) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await person.client.put("/v1/me/password", body)


async def log_in(client: Client, password: str) -> httpx.Response:
    return await client.post("/v1/sessions", {"login": "max", "password": password})


async def test_a_change_ends_every_other_login_at_once(client: Client) -> None:
    here, lee = await client.join("max"), await client.join("lee")
    there = await client.log_in("max")
    expect(await change(here), 204)
    expect_problem(await there.client.get("/v1/me"), 401, "not_authenticated")
    refreshed = await client.post(
        "/v1/sessions/refresh", {"refresh_token": there.tokens["refresh_token"]}
    )
    expect_problem(refreshed, 401, "invalid_refresh_token")
    expect(await here.client.get("/v1/me"), 200)
    expect(await lee.client.get("/v1/me"), 200)
    expect_problem(await log_in(client, PASSWORD), 401, "invalid_credentials")
    expect(await log_in(client, NEW), 201)


async def test_whoever_finds_an_open_browser_cannot_take_the_account(client: Client) -> None:
    max_ = await client.join("max")
    there = await client.log_in("max")
    refused = await change(max_, "not the password")
    expect_problem(refused, 403, "wrong_password")
    assert "not the password" not in refused.text
    expect(await there.client.get("/v1/me"), 200)
    expect(await log_in(client, PASSWORD), 201)
    expect_problem(
        await client.put("/v1/me/password", {"current_password": PASSWORD, "new_password": NEW}),
        401,
        "not_authenticated",
    )


async def test_a_new_password_has_the_bounds_of_a_first_one(client: Client) -> None:
    max_ = await client.join("max")
    for new in ("s3cret!", "s" * 129):
        refused = await change(max_, new=new)
        problem = expect_problem(refused, 422, "validation_failed")
        assert [fault["pointer"] for fault in problem["errors"]] == ["/body/new_password"]
        assert new not in refused.text
    expect(await log_in(client, PASSWORD), 201)


async def test_a_login_under_way_does_not_outlive_a_change(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    max_ = await client.join("max")
    verify = accounts.verify_password

    async def verify_then_change(password: str, encoded: str | None) -> bool:
        # Only once: the change verifies a password, too.
        monkeypatch.setattr(accounts, "verify_password", verify)
        matches = await verify(password, encoded)
        expect(await change(max_), 204)
        return matches

    monkeypatch.setattr(accounts, "verify_password", verify_then_change)
    expect_problem(await log_in(client, PASSWORD), 401, "invalid_credentials")
    sessions = expect(await max_.client.get("/v1/sessions"), 200)["data"]
    assert [session["is_current"] for session in sessions] == [True]


async def test_of_two_changes_at_once_one_wins(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await client.join("max")
    there = await client.log_in("max")
    both = asyncio.Barrier(2)
    verify = accounts.verify_password

    async def verify_together(password: str, encoded: str | None) -> bool:
        matches = await verify(password, encoded)
        await both.wait()
        return matches

    monkeypatch.setattr(accounts, "verify_password", verify_together)
    answers = await asyncio.gather(change(here, new="password 1"), change(there, new="password 2"))
    monkeypatch.setattr(accounts, "verify_password", verify)
    assert sorted(answer.status_code for answer in answers) == [204, 403]
    won = ("password 1", "password 2")[answers[1].status_code == 204]
    expect(await log_in(client, won), 201)
    alive = [await person.client.get("/v1/me") for person in (here, there)]
    assert [a.status_code == 200 for a in alive] == [a.status_code == 204 for a in answers]


async def test_passwords_are_stored_as_argon2id(client: Client, services: Services) -> None:
    await client.join("max")
    await client.join("lee")
    async with services.database.read_session() as session:
        hashes: list[Any] = list(await session.scalars(text("SELECT password_hash FROM users")))
    assert all(encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for encoded in hashes)
    assert len(set(hashes)) == 2  # the same password under two salts


async def test_only_so_many_are_hashed_at_once_and_at_a_lower_priority(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0
    lock = threading.Lock()
    all_at_work = threading.Barrier(passwords.MAX_HASHES)
    priorities: set[int] = set()

    def note(priority: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            priorities.add(priority)
        all_at_work.wait(timeout=60)
        with lock:
            running -= 1

    verify = PasswordHasher.verify

    def verify_and_note(hasher: PasswordHasher, encoded: str, password: str) -> Literal[True]:
        note(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return verify(hasher, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify_and_note)
    await asyncio.gather(*(log_in(client, "no account has it") for _ in range(20)))
    assert most == passwords.MAX_HASHES
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    if sys.platform == "linux":
        assert all(priority > own or priority == 19 for priority in priorities)
