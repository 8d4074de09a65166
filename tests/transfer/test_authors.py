"""Who an import's authors are, and who they are not."""

import copy
from typing import Any

from tests.client import PASSWORD, Client, expect, expect_problem
from tests.transfer.conftest import SLUG, BringIn

Thread = dict[str, Any]


async def read_flat(client: Client, slug: str = SLUG) -> list[dict[str, Any]]:
    page = expect(await client.get(f"/v1/articles/{slug}/comments/flat"), 200)
    return list(page["data"])


def write_other(*comments: dict[str, Any]) -> Thread:
    """Return another thread file, with these comments."""
    return {
        "article": {"title": "Other", "published_on": "2020-02-02"},
        "comments": [
            {"n": n, "replies_to": None, "body": f"Comment {n}", **comment}
            for n, comment in enumerate(comments, 1)
        ],
    }


async def test_somebody_registered_is_never_taken_for_an_author(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    jo = await client.join("jo", display_name="Jo")
    kim = await client.join("kim", display_name="Kim Larsen")
    ana = await client.join("ana-lima-duarte")
    old = await client.join("oldname7")
    await bring_in(thread)
    comments = await read_flat(client)
    article = expect(await client.get(f"/v1/articles/{SLUG}"), 200)
    assert comments[0]["author"] != jo.user
    assert comments[0]["author"]["handle"] == "jo-2"
    assert comments[1]["author"]["handle"] == "kim-larsen"
    assert article["author"]["handle"] == "ana-lima-duarte-2"
    # Those who talk with each other on the page mean each other.
    assert [m["user_id"] for m in comments[1]["mentions"]] == [comments[0]["author"]["id"]]
    assert [m["user_id"] for m in comments[3]["mentions"]] == [comments[1]["author"]["id"]]
    for person in (jo, kim, ana, old):
        wrote = await client.get(f"/v1/users/{person.handle}/comments")
        assert expect(wrote, 200)["data"] == []
        assert expect(await client.get(f"/v1/users/{person.handle}"), 200)["id"] == person.id
    assert expect(await client.get("/v1/users/oldname7-2"), 200)["handle"] == "riverwatch"


async def test_nobody_logs_in_as_an_author(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    for password in (PASSWORD, " " * 8):
        answer = await client.post("/v1/sessions", {"login": "kim-larsen", "password": password})
        expect_problem(answer, 401, "invalid_credentials")
    register = {"handle": "kim-larsen", "email": "kim@example.com", "password": PASSWORD}
    expect_problem(await client.post("/v1/users", register), 409, "handle_taken")


async def test_two_imports_share_their_authors(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    await bring_in(write_other({"author": "Kim Larsen"}, {"author": "KIM  LARSEN"}))
    kim = (await read_flat(client))[1]["author"]
    assert [one["author"] for one in await read_flat(client, "other")] == [kim, kim]
    wrote = expect(await client.get("/v1/users/kim-larsen/comments"), 200)["data"]
    assert len(wrote) == 3


async def test_an_author_who_is_called_otherwise_later_is_renamed(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(write_other({"author": "oldname7", "body": "I am @oldname7."}))
    before = (await read_flat(client, "other"))[0]
    await bring_in(thread)
    after = (await read_flat(client, "other"))[0]
    assert before["author"]["handle"] == "oldname7"
    assert after["author"] == {
        **before["author"],
        "handle": "riverwatch",
        "display_name": "riverwatch",
    }
    mention = after["mentions"][0]
    assert (mention["text"], mention["handle"]) == ("@oldname7", "riverwatch")
    assert after["author"] == (await read_flat(client))[5]["author"]
    assert expect(await client.get("/v1/users/oldname7"), 200)["handle"] == "riverwatch"


async def test_both_names_in_one_file_are_one_person(client: Client, bring_in: BringIn) -> None:
    await bring_in(
        write_other(
            {"author": "oldname7"},
            {"author": "riverwatch", "formerly": "oldname7"},
            {"author": "riverwatch"},
            {"author": "oldname7"},
        )
    )
    people = [one["author"]["handle"] for one in await read_flat(client, "other")]
    assert people == ["riverwatch"] * 4


async def test_an_earlier_name_said_again_is_one_handle(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    again = copy.deepcopy(thread)
    again["comments"].append({**again["comments"][5], "n": 9, "body": "Once more."})
    await bring_in(again)
    assert (await read_flat(client))[-1]["author"]["handle"] == "riverwatch"
    expect_problem(await client.get("/v1/users/oldname7-2"), 404, "user_not_found")


async def test_names_of_any_script_and_reserved_ones_get_handles(
    client: Client, bring_in: BringIn
) -> None:
    names = ("Лия Петрова", "Admin", "???", "J", "Jo", "jo")
    await bring_in(write_other(*({"author": name} for name in names)))
    authors = [one["author"] for one in await read_flat(client, "other")]
    assert [author["display_name"] for author in authors] == [*names[:5], "Jo"]
    handles = [author["handle"] for author in authors]
    assert handles == ["liya-petrova", "admin-2", "user", "j-2", "jo", "jo"]
    for handle in handles:
        assert expect(await client.get(f"/v1/users/{handle}"), 200)["handle"] == handle
