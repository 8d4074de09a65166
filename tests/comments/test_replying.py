"""Replies, and what refuses them. A refused write leaves no row."""

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect, expect_problem, flatten
from tests.forest import grow

NOBODY = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"


async def test_a_reply_is_answered_as_it_will_be_read(client: Client) -> None:
    person = await client.join(display_name="Max Power")
    article = await person.post_article()
    answer = await person.client.post(
        f"/v1/articles/{article['slug']}/comments", {"body": "Hello, **world**"}
    )
    written = expect(answer, 201)
    assert answer.headers["location"] == f"/v1/comments/{written['id']}"
    read = await client.get(answer.headers["location"])
    assert {**expect(read, 200), "unresolved_mentions": []} == written
    assert written["html"] == "<p>Hello, <strong>world</strong></p>\n"
    assert written["author"] == {
        "id": person.id,
        "handle": person.handle,
        "display_name": "Max Power",
        "avatar_url": None,
    }
    assert written["version"] == article["version"] + 1


async def test_counts_follow_replies_at_every_depth(client: Client) -> None:
    person = await client.join()
    article = (await person.post_article())["id"]
    root = await person.reply(article)
    child = await person.reply(article, parent=root["id"])
    await person.reply(article, parent=child["id"])
    await person.reply(article, parent=root["id"])
    nodes = {node["id"]: node for node in flatten((await client.tree(article))["data"])}
    assert (nodes[root["id"]]["reply_count"], nodes[root["id"]]["descendant_count"]) == (2, 3)
    assert (nodes[child["id"]]["reply_count"], nodes[child["id"]]["descendant_count"]) == (1, 1)
    read = expect(await client.get(f"/v1/articles/{article}"), 200)
    assert read["comment_count"] == 4
    assert read["last_activity_at"] > read["created_at"]


async def test_what_cannot_be_replied_to(client: Client, services: Services) -> None:
    person, other = await client.join(), await client.join()
    article = await person.post_article()
    elsewhere = await other.post_article()
    comment = await person.reply(article["id"])
    await other.reply(article["id"], parent=comment["id"])
    await person.take_back(comment["id"])
    leaf = await person.reply(article["id"])
    await person.take_back(leaf["id"])
    foreign = await other.reply(elsewhere["id"])
    before = await count_rows(services)
    path = f"/v1/articles/{article['id']}/comments"
    for parent, status, code in (
        (NOBODY, 404, "parent_not_found"),
        (leaf["id"], 404, "parent_not_found"),
        (comment["id"], 409, "parent_gone"),
        (foreign["id"], 409, "parent_elsewhere"),
    ):
        answer = await other.client.post(path, {"body": "x", "parent_id": parent})
        expect_problem(answer, status, code)
    answer = await other.client.post(f"/v1/articles/{NOBODY}/comments", {"body": "x"})
    expect_problem(answer, 404, "article_not_found")
    expect_problem(await client.post(path, {"body": "x"}), 401, "not_authenticated")
    assert await count_rows(services) == before


async def test_bodies_have_bounds(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article()
    before = await count_rows(services)
    path = f"/v1/articles/{article['id']}/comments"
    for body in ("", " \n ", "x" * 10_001, "a\u0000b", "a\u0007b", None, 7, ["x"]):
        answer = await person.client.post(path, {"body": body})
        problem = expect_problem(answer, 422, "validation_failed")
        assert problem["errors"][0]["pointer"] == "/body/body"
    answer = await person.client.post(path, {"body": "|a" * 100 + "\n" + "|-" * 100 + "\n|" * 4000})
    expect_problem(answer, 422, "text_too_large")
    assert await count_rows(services) == before
    expect(await person.client.post(path, {"body": "ß" * 10_000}), 201)


async def test_replies_nest_two_hundred_levels_deep(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article()
    ids = await grow(services, article["id"], [None, *range(200)])
    deepest = expect(await client.get(f"/v1/comments/{ids[-1]}"), 200)
    assert deepest["depth"] == 200
    answer = await person.client.post(
        f"/v1/articles/{article['id']}/comments", {"body": "x", "parent_id": ids[-1]}
    )
    expect_problem(answer, 409, "thread_too_deep")
    context = expect(await client.get(f"/v1/comments/{ids[-1]}/context?ancestors=200"), 200)
    assert [comment["id"] for comment in context["ancestors"]] == ids[:-1]


async def test_a_locked_article_takes_no_more_replies(client: Client) -> None:
    author, other = await client.join(), await client.join()
    article = await author.post_article()
    path = f"/v1/articles/{article['id']}"
    seen = await client.get(path)
    locked = await author.client.patch(
        path, {"is_locked": True}, headers={"If-Match": seen.headers["etag"]}
    )
    assert expect(locked, 200)["is_locked"]
    answer = await other.client.post(f"{path}/comments", {"body": "x"})
    expect_problem(answer, 409, "article_locked")


async def count_rows(services: Services) -> tuple[int, ...]:
    async with services.database.read_session() as session:
        row = await session.execute(
            text(
                "SELECT (SELECT count(*) FROM comments), (SELECT count(*) FROM events),"
                " (SELECT count(*) FROM comment_mentions), (SELECT sum(version) FROM articles)"
            )
        )
        return tuple(row.one())
