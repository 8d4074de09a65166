"""An article that was taken back is nowhere, nor is anything under it."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem

ANYHOW = {"If-Match": "*"}


async def test_a_deleted_article_is_nowhere(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article(tags=["space"])
    comment = await person.reply(article["id"])
    path, anywhere = f"/v1/articles/{article['id']}", f"/v1/comments/{comment['id']}"
    reads = (
        path,
        f"/v1/articles/{article['slug']}",
        f"{path}/comments",
        f"/v1/articles/{article['slug']}/comments",
        f"{path}/comments/flat",
        anywhere,
        f"{anywhere}/replies",
        f"{anywhere}/context",
    )
    for read in reads:
        expect(await client.get(read), 200)
    expect(await person.client.delete(path, headers=ANYHOW), 204)

    for read in reads:
        code = "comment_not_found" if read.startswith(anywhere) else "article_not_found"
        expect_problem(await client.get(read), 404, code)
    for query in ("", "?tag=space", f"?author={person.handle}", "?sort=active"):
        assert expect(await client.get(f"/v1/articles{query}"), 200)["data"] == []
    written = expect(await client.get(f"/v1/users/{person.handle}/comments"), 200)
    assert written["data"] == []

    mine = person.client
    for answer in (
        await mine.post(f"{path}/comments", {"body": "x"}),
        await mine.patch(path, {"title": "x"}, headers=ANYHOW),
        await mine.delete(path, headers=ANYHOW),
        await mine.post("/v1/mentions/preview", {"article": article["slug"], "body": "x"}),
    ):
        expect_problem(answer, 404, "article_not_found")
    for answer in (
        await mine.patch(anywhere, {"body": "x"}, headers=ANYHOW),
        await mine.delete(anywhere, headers=ANYHOW),
    ):
        expect_problem(answer, 404, "comment_not_found")
    async with services.database.read_session() as session:
        versions = text("SELECT version FROM events WHERE article_id IS NOT NULL ORDER BY id")
        assert (await session.scalars(versions)).all() == [0, 1, 2]


async def test_deleting_says_which_version_it_saw(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}"
    seen = (await client.get(path)).headers["etag"]
    expect_problem(await person.client.delete(path), 428, "precondition_required")
    expect(await person.client.patch(path, {"title": "x"}, headers={"If-Match": seen}), 200)
    stale = await person.client.delete(path, headers={"If-Match": seen})
    expect_problem(stale, 412, "precondition_failed")
    newest = (await client.get(path)).headers["etag"]
    expect(await person.client.delete(path, headers={"If-Match": newest}), 204)


async def test_moderators_take_back_any(
    client: Client, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    person, moderator = await client.join(), await make_staff("moderator")
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}"
    expect(await moderator.client.delete(path, headers=ANYHOW), 204)
    expect_problem(await person.client.get(path), 404, "article_not_found")
