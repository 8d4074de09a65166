"""Changing an article, closing it, and who may."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem

MakeStaff = Callable[[str], Awaitable[Person]]


async def change(
    person: Person, article: str, if_match: str = "*", **fields: Any
) -> httpx.Response:
    return await person.client.patch(
        f"/v1/articles/{article}", fields, headers={"If-Match": if_match}
    )


async def count_edits(services: Services) -> int:
    async with services.database.read_session() as session:
        statement = text("SELECT count(*) FROM events WHERE type = 'article_edited'")
        return int(await session.scalar(statement) or 0)


async def test_what_is_changed_is_answered_as_it_will_be_read(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(url="https://a.example/1", tags=["a"])
    read = await client.get(f"/v1/articles/{article['id']}")
    fields = {
        "title": "New",
        "body": "*New*",
        "url": "https://a.example/2",
        "tags": ["b", "a"],
        "is_locked": True,
    }
    answer = await change(person, article["slug"], read.headers["etag"], **fields)
    changed = expect(answer, 200)
    expected = {**article, **fields, "html": "<p><em>New</em></p>\n", "version": 1}
    expected["excerpt"] = "New"
    assert changed == {**expected, "edited_at": changed["edited_at"]}
    assert changed["edited_at"] > changed["created_at"]
    read = await client.get(f"/v1/articles/{article['id']}")
    assert expect(read, 200) == changed
    assert read.headers["etag"] == answer.headers["etag"]


async def test_each_field_changes_alone(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(body="Body", url="https://a.example/1", tags=["a"])
    for field, value in (
        ("title", "Other"),
        ("body", ""),
        ("url", None),
        ("tags", []),
        ("is_locked", True),
    ):
        changed = expect(await change(person, article["id"], **{field: value}), 200)
        unlike = {name for name in article if changed[name] != article[name]}
        assert unlike - {"version", "edited_at", "html", "excerpt"} == {field}
        assert changed["version"] == article["version"] + 1
        article = changed


async def test_the_same_again_changes_nothing(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article(body="a\r\nb", url="https://a.example/1", tags=["a", "b"])
    path = f"/v1/articles/{article['id']}"
    before = await client.get(path)
    for fields in (
        {},
        {"title": " On docking ports "},
        {"body": "a\r\nb", "tags": ["A", "b"], "url": "https://a.example/1", "is_locked": False},
        {"title": None, "body": None, "tags": None, "is_locked": None},
    ):
        answer = await change(person, article["id"], before.headers["etag"], **fields)
        assert expect(answer, 200) == article, fields
        assert answer.headers["etag"] == before.headers["etag"]
    assert await count_edits(services) == 0


async def test_null_takes_the_address_away_and_leaves_the_rest(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(url="https://a.example/1", tags=["a"])
    changed = expect(await change(person, article["id"], url=None, title=None, tags=None), 200)
    assert (changed["url"], changed["title"], changed["tags"]) == (None, article["title"], ["a"])


async def test_an_edit_says_which_version_it_saw(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}"
    seen = (await client.get(path)).headers["etag"]
    answer = await person.client.patch(path, {"title": "x"})
    expect_problem(answer, 428, "precondition_required")
    for stale in ('"7-0123456789abcdef"', f"W/{seen}", "nonsense", '""'):
        expect_problem(
            await change(person, article["id"], stale, title="x"), 412, "precondition_failed"
        )
    expect(await change(person, article["id"], seen, title="First"), 200)
    expect_problem(
        await change(person, article["id"], seen, title="Second"), 412, "precondition_failed"
    )
    assert expect(await client.get(path), 200)["title"] == "First"
    assert await count_edits(services) == 1


async def test_a_reply_does_not_make_an_edit_stale(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    seen = (await client.get(f"/v1/articles/{article['id']}")).headers["etag"]
    await person.reply(article["id"])
    expect(await change(person, article["id"], seen, title="x"), 200)


async def test_only_its_author_and_staff_change_an_article(
    client: Client, make_staff: MakeStaff
) -> None:
    author, other, moderator = (
        await client.join(),
        await client.join(),
        await make_staff("moderator"),
    )
    article = await author.post_article()
    expect_problem(await change(other, article["id"], title="x"), 403, "not_your_article")
    path, anyhow = f"/v1/articles/{article['id']}", {"If-Match": "*"}
    stranger = await client.patch(path, {"title": "x"}, headers=anyhow)
    expect_problem(stranger, 401, "not_authenticated")
    taken = await other.client.delete(path, headers=anyhow)
    expect_problem(taken, 403, "not_your_article")
    assert expect(await client.get(path), 200) == article
    changed = expect(await change(moderator, article["id"], title="Tidied"), 200)
    assert (changed["title"], changed["author"]["id"]) == ("Tidied", author.id)


async def test_what_is_not_there_is_not_changed(client: Client) -> None:
    person = await client.join()
    expect_problem(await change(person, "nothing", title="x"), 404, "article_not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 301),
        ("body", "x" * 20_001),
        ("url", "javascript:alert(1)"),
        ("tags", ["a", "A"]),
        ("is_locked", "true"),
        ("is_locked", 1),
        ("slug", "other"),
        ("external_id", "other"),
    ],
)
async def test_a_change_out_of_bounds_is_refused(client: Client, field: str, value: Any) -> None:
    person = await client.join()
    article = await person.post_article()
    answer = await change(person, article["id"], **{field: value})
    problem = expect_problem(answer, 422, "validation_failed")
    assert problem["errors"][0]["pointer"].startswith(f"/body/{field}")
    assert expect(await client.get(f"/v1/articles/{article['id']}"), 200) == article


async def test_a_change_that_renders_to_too_much_is_refused(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    answer = await change(person, article["id"], body="> " * 100 + "x", title="x")
    expect_problem(answer, 422, "text_too_large")
    assert expect(await client.get(f"/v1/articles/{article['id']}"), 200) == article


async def test_a_closed_article_takes_replies_of_staff_only(
    client: Client, make_staff: MakeStaff
) -> None:
    author, moderator = await client.join(), await make_staff("moderator")
    article = await author.post_article()
    first = await author.reply(article["id"])
    closed = expect(await change(author, article["id"], is_locked=True), 200)
    assert closed["edited_at"] is None
    for parent in (None, first["id"]):
        answer = await author.client.post(
            f"/v1/articles/{article['id']}/comments", {"body": "x", "parent_id": parent}
        )
        expect_problem(answer, 409, "article_locked")
    assert len((await client.tree(article["id"]))["data"]) == 1
    await moderator.reply(article["id"], parent=first["id"])
    expect(await change(author, article["id"], is_locked=False), 200)
    await author.reply(article["id"])


async def test_a_read_tree_knows_the_version_of_an_edit(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    await client.tree(article["id"])
    changed = expect(await change(person, article["id"], title="x"), 200)
    tree = await client.tree(article["id"], min_version=changed["version"])
    assert tree["version"] == changed["version"]
