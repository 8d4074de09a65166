"""Making an account: what is refused, and what the answer tells and does not tell."""

from typing import Any

import httpx
from sqlalchemy import text

from api.kit.services import Services
from tests.client import PASSWORD, Client, expect, expect_problem


async def register(client: Client, handle: str, **fields: Any) -> httpx.Response:
    body = {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD}
    return await client.post("/v1/users", {**body, **fields})


def expect_fault(response: httpx.Response, pointer: str, code: str | None = None) -> None:
    problem = expect_problem(response, 422, "validation_failed")
    [fault] = problem["errors"]
    assert fault["pointer"] == pointer, problem
    assert code in (None, fault["code"]), problem
    assert PASSWORD not in response.text


async def count_people(services: Services) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text("SELECT count(*) FROM users")) or 0)


async def test_the_answer_is_the_public_profile(client: Client) -> None:
    created = await register(client, "Lee", display_name="  Lee Stevenson ")
    user = expect(created, 201)
    assert user.keys() == {"id", "handle", "display_name", "avatar_url", "role", "created_at"}
    assert (user["handle"], user["display_name"]) == ("lee", "Lee Stevenson")
    assert (user["role"], user["avatar_url"]) == ("member", None)
    assert created.headers["location"] == "/v1/users/lee"
    read = await client.get(created.headers["location"])
    assert read.content == created.content
    assert read.headers["etag"] == created.headers["etag"]
    again = await client.get("/v1/users/LEE", headers={"If-None-Match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_without_a_display_name_the_handle_is_shown(client: Client) -> None:
    assert expect(await register(client, "Max_P"), 201)["display_name"] == "max_p"


async def test_what_is_no_handle_is_refused(client: Client, services: Services) -> None:
    for handle in (
        *("", "a", "a" * 33, "-max", "max_", "m--x", "m_-x", "max p", "m.x", "@max", "mäx"),
        *("max\u200b", "ma\nx", "\u212aim", "ma\x00x"),
    ):
        expect_fault(await register(client, handle, email="max@example.com"), "/body/handle")
    assert await count_people(services) == 0
    trimmed = await register(client, " max\n", email="max@example.com")
    assert expect(trimmed, 201)["handle"] == "max"


async def test_a_handle_or_its_look_alike_is_given_once(client: Client) -> None:
    expect(await register(client, "modern"), 201)
    for handle in ("modern", "Modern", "rnodern", "m0dern", "mod-ern", "m_o_d_e_r_n"):
        refused = await register(client, handle)
        problem = expect_problem(refused, 409, "handle_taken")
        assert handle not in problem["detail"]
    assert (await client.get("/v1/users/m0dern")).status_code == 404
    expect(await register(client, "milla"), 201)
    for handle in ("mlila", "m1lla", "mi1ia"):
        expect_problem(await register(client, handle), 409, "handle_taken")


async def test_nobody_registers_as_the_service(client: Client) -> None:
    for handle in ("admin", "Adm1n", "m0derator", "everyone", "me", "sup-port"):
        expect_problem(await register(client, handle), 409, "handle_reserved")


async def test_nobody_registers_under_a_name_of_staff(client: Client, services: Services) -> None:
    for name in (
        "Admin",
        "Moderator",
        "\u0410dmin",
        "Adm\u0456n",
        "Su\u0440\u0440ort",
        "Forum Staff",
    ):
        refused = await register(client, "max", display_name=name)
        expect_problem(refused, 409, "display_name_reserved")
    # Without a display name the handle is shown.
    expect_problem(await register(client, "forum-admin"), 409, "handle_reserved")
    assert await count_people(services) == 0
    expect(await register(client, "max", display_name="Badminton Max"), 201)


async def test_a_display_name_shows_all_that_it_is(client: Client) -> None:
    for name in (
        *("", "   ", "a" * 65),
        "Max\u202exaM",  # turns the rest of the line around
        "Max\u2066",
        "Ma\u200bx",  # looks like Max
        "Max\u00ad",
        "Max\u3164",
        "Ma\nx",
        "Ma\x00x",
        "\u0958" * 64,  # 128 characters once composed
    ):
        expect_fault(await register(client, "max", display_name=name), "/body/display_name")


async def test_display_names_of_all_scripts_are_kept(client: Client) -> None:
    names = ("Жанна д'Арк", "李小龍", "محمد", "Zoë  Quinn", "👩‍🚀 Ada", "a" * 64)
    for number, name in enumerate(names):
        user = expect(await register(client, f"person-{number}", display_name=name), 201)
        assert user["display_name"] == name
    composed = expect(await register(client, "jose", display_name="Jose\u0301"), 201)
    assert composed["display_name"] == "Jos\u00e9"


async def test_a_password_has_8_to_128_characters(client: Client) -> None:
    expect_fault(
        await register(client, "max", password="s3cret!"), "/body/password", "string_too_short"
    )
    expect_fault(
        await register(client, "max", password="s" * 129), "/body/password", "string_too_long"
    )
    for handle, password in (("short", "ä" * 8), ("long", "😀" * 128)):
        expect(await register(client, handle, password=password), 201)
        login = {"login": handle, "password": password}
        expect(await client.post("/v1/sessions", login), 201)
        cut = {"login": handle, "password": password[:-1] + "x"}
        expect_problem(await client.post("/v1/sessions", cut), 401, "invalid_credentials")


async def test_what_is_no_address_is_refused(client: Client) -> None:
    for email in (
        "",
        "max",
        "max@",
        "@example.com",
        "a b@example.com",
        "m@x\x00",
        "a" * 250 + "@b.co",
    ):
        expect_fault(await register(client, "max", email=email), "/body/email")


async def test_nobody_gives_themselves_a_role(client: Client, services: Services) -> None:
    for field, value in (("role", "admin"), ("password_hash", "x"), ("id", "x"), ("emial", "x")):
        refused = await register(client, "max", **{field: value})
        expect_fault(refused, f"/body/{field}", "extra_forbidden")
    assert await count_people(services) == 0


async def test_a_missing_field_is_named(client: Client) -> None:
    response = await client.post("/v1/users", {"email": "max@example.com", "password": PASSWORD})
    expect_fault(response, "/body/handle", "missing")


async def test_who_has_an_address_already_is_not_told(client: Client) -> None:
    first = await register(client, "first", email="Max@Example.com")
    second = await register(client, "second", email="mAX@example.COM", password="another password")
    assert expect(second, 201).keys() == expect(first, 201).keys()
    assert second.headers.keys() == first.headers.keys()

    async def log_in(login: str, password: str) -> httpx.Response:
        return await client.post("/v1/sessions", {"login": login, "password": password})

    by_handle = expect(await log_in("second", "another password"), 201)
    me = await Client(client.http, by_handle["access_token"]).get("/v1/me")
    assert expect(me, 200)["email"] == "mAX@example.com"
    refused = await log_in("max@example.com", "another password")
    expect_problem(refused, 401, "invalid_credentials")
    by_address = expect(await log_in("MAX@example.com", PASSWORD), 201)
    me = await Client(client.http, by_address["access_token"]).get("/v1/me")
    assert expect(me, 200)["handle"] == "first"
