"""What an imported thread looks like to its readers."""

from itertools import pairwise
from typing import Any

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect, expect_problem, flatten
from tests.transfer.conftest import SLUG, BringIn

Thread = dict[str, Any]


def read_shape(nodes: list[dict[str, Any]], numbers: dict[str, int]) -> dict[int, Any]:
    """Return a tree of the numbers that comments have in the file."""
    return {numbers[node["body"]]: read_shape(node["replies"]["data"], numbers) for node in nodes}


async def test_the_tree_is_what_replies_to_says(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    report = await bring_in(thread)
    assert (report.slug, report.added, report.known) == (SLUG, 8, 0)
    tree = await client.tree(SLUG, sort="old")
    numbers = {comment["body"]: comment["n"] for comment in thread["comments"]}
    shape = read_shape(tree["data"], numbers)
    assert shape == {1: {2: {3: {}, 4: {}, 5: {}, 8: {}}}, 6: {}, 7: {}}
    counts = [(node["reply_count"], node["descendant_count"]) for node in flatten(tree["data"])]
    assert counts == [(1, 5), (4, 4), *[(0, 0)] * 6]
    assert {node["version"] for node in flatten(tree["data"])} == {tree["version"]} == {1}


async def test_the_article_is_as_the_file_says(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    article = expect(await client.get(f"/v1/articles/{SLUG}"), 200)
    assert article["title"] == thread["article"]["title"]
    assert article["body"] == thread["article"]["body"]
    assert "<strong>Friday</strong>" in article["html"]
    author = article["author"]
    assert (author["handle"], author["display_name"]) == ("ana-lima-duarte", "Ana Lima Duarte")
    assert article["created_at"] == "2019-05-04T00:00:00Z"
    assert article["comment_count"] == 8
    listed = expect(await client.get("/v1/articles?sort=active"), 200)["data"]
    assert [one["slug"] for one in listed] == [SLUG]


async def test_the_order_of_the_file_is_the_order_of_time(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    page = expect(await client.get(f"/v1/articles/{SLUG}/comments/flat"), 200)
    comments = page["data"]
    assert [one["body"] for one in comments] == [one["body"] for one in thread["comments"]]
    assert all(a["created_at"] < b["created_at"] for a, b in pairwise(comments))
    article = expect(await client.get(f"/v1/articles/{SLUG}"), 200)
    assert article["created_at"] < comments[0]["created_at"]
    assert article["last_activity_at"] == comments[-1]["created_at"]


async def test_authors_are_named_where_the_page_names_them(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    page = expect(await client.get(f"/v1/articles/{SLUG}/comments/flat"), 200)
    people = [one["author"] and one["author"]["handle"] for one in page["data"]]
    assert people == ["jo", "kim-larsen", None, None, None, "riverwatch", None, None]
    for one in page["data"]:
        assert expect(await client.get(f"/v1/comments/{one['id']}"), 200) == one


async def test_mentions_are_resolved_where_there_are_some(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    page = expect(await client.get(f"/v1/articles/{SLUG}/comments/flat"), 200)
    found = {
        n: [(m["text"], m["handle"]) for m in one["mentions"]]
        for n, one in enumerate(page["data"], 1)
    }
    # The first mentions somebody who wrote only later.
    assert found.pop(1) == [("@Kim Larsen", "kim-larsen")]
    assert found.pop(2) == [("@Jo", "jo")]
    assert found.pop(4) == [("@Kim Larsen", "kim-larsen")]
    assert not any(found.values())
    for one in page["data"]:
        for mention in one["mentions"]:
            assert one["body"][mention["start"] : mention["end"]] == mention["text"]


async def test_an_earlier_name_leads_to_its_bearer(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    user = expect(await client.get("/v1/users/oldname7"), 200)
    assert (user["handle"], user["display_name"]) == ("riverwatch", "riverwatch")
    written = expect(await client.get("/v1/users/oldname7/comments"), 200)["data"]
    assert [one["body"] for one in written] == [thread["comments"][5]["body"]]
    taken = {"handle": "oldname7", "email": "a@example.com", "password": "correct horse battery"}
    expect_problem(await client.post("/v1/users", taken), 409, "handle_taken")


async def test_nobody_is_told(services: Services, thread: Thread, bring_in: BringIn) -> None:
    await bring_in(thread)
    async with services.database.read_session() as session:
        types = (await session.scalars(text("SELECT type FROM events ORDER BY id"))).all()
    assert types == ["user_registered"] * 4 + ["thread_imported"]


async def test_an_article_without_comments_or_author_is_imported(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    bare = {"article": {"title": "Bare", "published_on": "2020-01-01"}, "comments": []}
    report = await bring_in(bare)
    assert (report.slug, report.added) == ("bare", 0)
    article = expect(await client.get("/v1/articles/bare"), 200)
    assert (article["author"], article["body"], article["comment_count"]) == (None, "", 0)
    assert article["last_activity_at"] == article["created_at"]
    assert (await bring_in(bare)).slug == "bare"


async def test_people_go_on_where_the_page_ended(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    person = await client.join()
    nodes = flatten((await client.tree(SLUG, sort="old"))["data"])
    reply = await person.reply(SLUG, "@Kim Larsen, and @oldname7: yes.", nodes[2]["id"])
    assert [m["handle"] for m in reply["mentions"]] == ["kim-larsen", "riverwatch"]
    flat = expect(await client.get(f"/v1/articles/{SLUG}/comments/flat"), 200)["data"]
    assert flat[-1]["id"] == reply["id"]


async def test_what_was_published_today_is_not_in_the_future(
    client: Client, services: Services, thread: Thread, bring_in: BringIn
) -> None:
    now = services.clock.now()
    thread["article"]["published_on"] = now.date().isoformat()
    for comment in thread["comments"]:
        comment["n"] += 10**9 - 10
        if comment["replies_to"]:
            comment["replies_to"] += 10**9 - 10
    await bring_in(thread)
    flat = expect(await client.get(f"/v1/articles/{SLUG}/comments/flat"), 200)["data"]
    assert [one["body"] for one in flat] == [one["body"] for one in thread["comments"]]
    assert flat[-1]["created_at"] <= services.clock.now().isoformat()
