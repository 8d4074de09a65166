"""The own profile: reading it, changing it, and what of it others see."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.client import Client, Person, expect, expect_problem


async def edit(person: Person, changes: dict[str, Any], if_match: str = "*") -> httpx.Response:
    return await person.client.patch("/v1/me", changes, headers={"If-Match": if_match})


async def test_the_own_profile_is_the_public_one_and_the_address(client: Client) -> None:
    max_ = await client.join("max", email="max@example.com")
    me = expect(await max_.client.get("/v1/me"), 200)
    assert me == {**max_.user, "email": "max@example.com"}
    expect_problem(await client.get("/v1/me"), 401, "not_authenticated")
    expect_problem(await client.patch("/v1/me", {}), 401, "not_authenticated")


async def test_nobody_sees_the_address_of_others(client: Client) -> None:
    max_, lee = await client.join("max", email="secret@example.com"), await client.join("lee")
    article = await max_.post_article()
    await max_.reply(article["id"], "Hello @lee")
    for reader in (client, lee.client, max_.client):
        for path in (
            "/v1/users/max",
            "/v1/users?prefix=max",
            "/v1/users?prefix=secret",
            "/v1/users/max/comments",
            f"/v1/articles/{article['id']}",
            f"/v1/articles/{article['id']}/comments",
        ):
            answer = await reader.get(path)
            assert "secret" not in str(expect(answer, 200)), path
    expect_problem(await client.get("/v1/users/secret@example.com"), 404, "user_not_found")


async def test_a_change_says_what_it_saw(client: Client) -> None:
    max_ = await client.join("max")
    changes = {"display_name": "Max Power", "avatar_url": "https://example.com/max.png"}
    expect_problem(await max_.client.patch("/v1/me", changes), 428, "precondition_required")
    seen = (await max_.client.get("/v1/me")).headers["etag"]
    public = (await client.get("/v1/users/max")).headers["etag"]
    changed = await edit(max_, changes, seen)
    assert expect(changed, 200).items() >= changes.items()
    for stale in (seen, public, '"7-0123456789abcdef"', '"x"', "W/" + changed.headers["etag"]):
        expect_problem(
            await edit(max_, {"display_name": "Other"}, stale), 412, "precondition_failed"
        )
    assert (await max_.client.get("/v1/me")).content == changed.content
    again = await edit(max_, {"display_name": "Max"}, changed.headers["etag"])
    assert expect(again, 200)["display_name"] == "Max"
    assert expect(await edit(max_, {"display_name": "M"}, "*"), 200)["display_name"] == "M"


async def test_what_is_left_out_stays(client: Client) -> None:
    max_ = await client.join("max", display_name="Max Power")
    avatar = {"avatar_url": "https://example.com/max.png"}
    before = expect(await edit(max_, avatar), 200)
    assert before == {**before, "handle": "max", "display_name": "Max Power", **avatar}
    tag = (await max_.client.get("/v1/me")).headers["etag"]
    # Null takes the picture away; nobody is without a name. What changes nothing is no new version.
    for nothing in ({}, {"handle": "MAX"}, {"handle": None, "display_name": None}, avatar):
        unchanged = await edit(max_, nothing)
        assert expect(unchanged, 200) == before
        assert unchanged.headers["etag"] == tag
    assert expect(await edit(max_, {"avatar_url": None}), 200) == {**before, "avatar_url": None}


async def test_a_change_is_checked_as_a_registration_is(client: Client) -> None:
    max_ = await client.join("max")
    await client.join("modern")
    for field, value in (
        ("handle", "m--x"),
        ("handle", ""),
        ("display_name", "Max\u202e"),
        ("display_name", " "),
        ("avatar_url", "javascript:alert(1)"),
        ("avatar_url", "https://"),
        ("avatar_url", "https://example.com/" + "x" * 2048),
        ("email", "other@example.com"),
        ("role", "admin"),
        ("revision", 1),
    ):
        refused = expect_problem(await edit(max_, {field: value}), 422, "validation_failed")
        assert [fault["pointer"] for fault in refused["errors"]] == [f"/body/{field}"]
    expect_problem(await edit(max_, {"handle": "m0dern"}), 409, "handle_taken")
    for handle in ("adm1n", "forum-admin"):
        refused = await edit(max_, {"display_name": "Half", "handle": handle})
        expect_problem(refused, 409, "handle_reserved")
    for name in ("Admin", "\u0410dmin", "Forum Moderator", "Adm1n \u2705"):
        refused = await edit(max_, {"avatar_url": None, "display_name": name})
        expect_problem(refused, 409, "display_name_reserved")
    assert expect(await client.get("/v1/users/max"), 200) == max_.user


async def test_staff_may_be_called_so(make_staff: Callable[[str], Awaitable[Person]]) -> None:
    moderator = await make_staff("moderator")
    changed = await edit(moderator, {"display_name": "Moderator", "handle": "mod"})
    assert expect(changed, 200)["display_name"] == "Moderator"


async def test_a_new_name_is_seen_where_the_old_one_stood(client: Client) -> None:
    max_ = await client.join("max", display_name="Max")
    article = await max_.post_article()
    comment = await max_.reply(article["id"])
    expect(await edit(max_, {"handle": "max-power", "display_name": "Max Power"}), 200)
    read = expect(await client.get(f"/v1/comments/{comment['id']}"), 200)
    assert read["author"] == {
        "id": max_.id,
        "handle": "max-power",
        "display_name": "Max Power",
        "avatar_url": None,
    }
    # And it is the one to be found and mentioned by.
    for prefix, handles in (("max pow", ["max-power"]), ("max", ["max-power"])):
        found = expect(await client.get("/v1/users", params={"prefix": prefix}), 200)["data"]
        assert [person["handle"] for person in found] == handles
    lee = await client.join("lee")
    greeted = await lee.reply(article["id"], "Hello @Max Power!")
    assert [mention["text"] for mention in greeted["mentions"]] == ["@Max Power"]


async def test_a_profile_is_found_by_id_too(client: Client) -> None:
    person = await client.join("max")
    article = await person.post_article()
    comment = await person.reply(article["id"], "@max")
    for ref in (person.id, person.id.upper(), "max", "Max"):
        profile = expect(await client.get(f"/v1/users/{ref}"), 200)
        assert profile["handle"] == "max"
        [listed] = expect(await client.get(f"/v1/users/{ref}/comments"), 200)["data"]
        assert listed["id"] == comment["id"]
    nobody = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"
    for path in (f"/v1/users/{nobody}", f"/v1/users/{nobody}/comments"):
        expect_problem(await client.get(path), 404, "user_not_found")
