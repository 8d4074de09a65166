"""Which access tokens are believed: the one that was issued, and no text that resembles it."""

import base64
import hashlib
import zlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from api.auth.tokens import RefreshToken, TokenError, hash_token, make_access_token
from api.kit.db.ids import make_id
from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem
from tests.comments.test_cost import round_trips
from tests.conftest import MovableClock
from tests.working import run_jobs


def forge(prefix: str, payload: bytes, checked: bytes | None = None) -> str:
    """Write a token by hand, with the checksum of `checked`."""
    checksum = zlib.crc32(payload if checked is None else checked).to_bytes(4, "big")
    return prefix + base64.urlsafe_b64encode(payload + checksum).decode().rstrip("=")


async def read_me(client: Client, authorization: str) -> Any:
    return await client.get("/v1/me", headers={"Authorization": authorization})


async def test_a_text_that_is_no_token_costs_no_database_access(
    client: Client, services: Services
) -> None:
    max_ = await client.join("max")
    token = str(max_.tokens["access_token"])
    payload = base64.urlsafe_b64decode(token.removeprefix("pal_at_"))[:32]
    assert forge("pal_at_", payload, b"pal_at_" + payload) == token
    wrong = {
        "one character changed": token[:20] + ("A" if token[20] != "A" else "B") + token[21:],
        "two characters swapped": token[:12] + token[13] + token[12] + token[14:],
        "cut": token[:-1],
        "longer": token + "A",
        "no checksum": "pal_at_" + base64.urlsafe_b64encode(payload).decode().rstrip("="),
        "a checksum without the prefix": forge("pal_at_", payload),
        "another prefix": forge("pal_rt_", payload, b"pal_rt_" + payload),
        "no prefix": token.removeprefix("pal_at_"),
        "upper case": token.upper(),
        "not ASCII": token[:-1] + "\u00e9",
        "a refresh token": max_.tokens["refresh_token"],
        "a JWT": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "a megabyte": "pal_at_" + "A" * 1_000_000,
        "a megabyte of dots": "." * 1_000_000,
        "nothing": "",
    }
    with round_trips(services) as count:
        for case, text_ in wrong.items():
            headers = {"Authorization": f"Bearer {text_}".encode()}
            refused = await client.get("/v1/me", headers=headers)
            assert refused.status_code == 401, case
            expect_problem(refused, 401, "not_authenticated")
            assert refused.headers["www-authenticate"] == "Bearer"
        for other in (f"Basic {token}", "Bearer", token, f"Bearer {token} {token}"):
            expect_problem(await read_me(client, other), 401, "not_authenticated")
    assert count.statements == []
    with round_trips(services) as count:
        expect_problem(
            await read_me(client, f"Bearer {make_access_token()}"), 401, "not_authenticated"
        )
    assert len(count) == 1
    for scheme in ("Bearer", "bearer"):
        expect(await read_me(client, f"{scheme} {token}"), 200)


async def test_who_is_asking_takes_one_round_trip(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    with round_trips(services) as count:
        expect(await max_.client.get("/v1/sessions"), 200)
    assert len(count) == 2, count.statements


MANY_SESSIONS = """
INSERT INTO sessions (id, user_id, token_hash, rotated_at, created_at, expires_at)
SELECT gen_random_uuid(), id, sha256(n::text::bytea), now(), now(), now() + interval '1 day'
FROM users, generate_series(1, 5000) n
"""
MANY_CREDENTIALS = """
INSERT INTO credentials (token_hash, user_id, kind, session_id, created_at, expires_at)
SELECT sha256(id::text::bytea), user_id, 'session', id, now(), expires_at
FROM sessions WHERE rotated_at = created_at AND id NOT IN (SELECT session_id FROM credentials)
"""


async def test_the_lookup_goes_along_indexes(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    with round_trips(services) as count:
        expect(await max_.client.get("/v1/me"), 200)
    async with services.database.write_session() as session:
        # Of a few rows the planner takes any index.
        await session.execute(text(MANY_SESSIONS))
        await session.execute(text(MANY_CREDENTIALS))
        await session.execute(text("ANALYZE sessions, credentials, users"))
    statement = count.statements[0].replace("$1", "now()").replace("$2", "'\\x00'::bytea")
    for type_ in ("::TIMESTAMP WITH TIME ZONE", "::BYTEA"):
        statement = statement.replace(type_, "")
    async with services.database.read_session() as session:
        plan = [str(row[0]) for row in await session.execute(text(f"EXPLAIN {statement}"))]
    assert any("pk_credentials" in line for line in plan), plan
    # Of a table of one row the planner reads all of it.
    scans = [line for line in plan if "Seq Scan" in line and "on screening_settings" not in line]
    assert scans == [], plan


async def test_a_token_is_good_for_ten_minutes(client: Client, clock: MovableClock) -> None:
    max_ = await client.join("max")
    clock.advance(minutes=9, seconds=55)
    expect(await max_.client.get("/v1/me"), 200)
    clock.advance(seconds=6)
    expect_problem(await max_.client.get("/v1/me"), 401, "not_authenticated")
    # Nor does it stand in the way of its own replacement.
    renewed = await max_.client.post(
        "/v1/sessions/refresh", {"refresh_token": max_.tokens["refresh_token"]}
    )
    token = expect(renewed, 201)["access_token"]
    expect(await Client(client.http, token).get("/v1/me"), 200)


async def test_a_token_ends_with_its_session(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE sessions SET expires_at = now() - interval '1 second'"))
    expect_problem(await max_.client.get("/v1/me"), 401, "not_authenticated")


async def test_only_a_hash_is_stored(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    token = str(max_.tokens["access_token"])
    async with services.database.read_session() as session:
        [row] = (await session.execute(text("SELECT * FROM credentials"))).all()
    assert row.token_hash == hash_token(token) == hashlib.sha256(token.encode()).digest()
    assert row.expires_at - row.created_at == timedelta(minutes=10)
    secret = base64.urlsafe_b64decode(token.removeprefix("pal_at_"))[:32]
    assert all(value not in (secret, token) for value in row)
    assert len(token) == 55


async def count_tokens(services: Services) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text("SELECT count(*) FROM credentials")) or 0)


async def renew(person: Person) -> None:
    body = {"refresh_token": person.tokens["refresh_token"]}
    person.tokens = expect(await person.client.post("/v1/sessions/refresh", body), 201)


async def test_expired_tokens_are_forgotten(
    client: Client, services: Services, clock: MovableClock
) -> None:
    max_, lee = await client.join("max"), await client.join("lee")
    await renew(max_)
    # The token before goes on until it expires: requests may be under way with it.
    assert await count_tokens(services) == 3
    expect(await max_.client.get("/v1/me"), 200)
    clock.advance(minutes=11)
    await renew(max_)
    assert await count_tokens(services) == 2
    await run_jobs(services)
    assert await count_tokens(services) == 1
    await renew(lee)
    clock.advance(days=60)
    await run_jobs(services)
    assert await count_tokens(services) == 0
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM sessions")) == 0


@given(secret=st.binary(min_size=32, max_size=32))
def test_a_refresh_token_reads_as_it_was_written(secret: bytes) -> None:
    token = RefreshToken(make_id(), secret)
    assert RefreshToken.parse(str(token)) == token


@given(at=st.integers(0, 54), character=st.characters(codec="latin-1"))
def test_a_token_with_one_wrong_character_is_none(at: int, character: str) -> None:
    token = make_access_token()
    wrong = token[:at] + character + token[at + 1 :]
    if wrong != token:
        with pytest.raises(TokenError):
            hash_token(wrong)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_no_token(other: str) -> None:
    for candidate in (other, "pal_at_" + other, "pal_rt_" + other, "par_" + other):
        with pytest.raises(TokenError):
            hash_token(candidate)
        with pytest.raises(TokenError):
            RefreshToken.parse(candidate)


def test_refresh_tokens_from_before_the_checksum_are_still_read() -> None:
    session_id, secret = UUID("0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"), b"s" * 32
    old = "par_" + base64.urlsafe_b64encode(session_id.bytes + secret).decode()
    assert RefreshToken.parse(old) == RefreshToken(session_id, secret)
