"""Feeds: what a reader of feeds sees of articles and comments, and what it never sees."""

import re
from typing import Any

import feedparser
import httpx
import pytest
from sqlalchemy import text

from api.kit.services import Services
from models import CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.forest import grow
from tests.lifecycle import add_comment, change_states

BASE = "http://127.0.0.1:8000"


@pytest.fixture
async def max_(client: Client) -> Person:
    return await client.join("max", display_name="Max & Moritz")


async def get_feed(client: Client, path: str) -> Any:
    response = await client.get(f"/v1{path}")
    assert response.headers["content-type"] == "application/atom+xml"
    assert response.headers["cache-control"] == "public, no-cache"
    return parse(response)


def parse(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    parsed = feedparser.parse(response.content)
    assert not parsed.bozo, parsed
    assert parsed.version == "atom10"
    urns = [parsed.feed.id, *(entry.id for entry in parsed.entries)]
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one) for one in urns)
    assert len(set(urns)) == len(urns)
    return parsed


def read_self(parsed: Any) -> str:
    [link] = (one.href for one in parsed.feed.links if one.rel == "self")
    return str(link).removeprefix(f"{BASE}/v1")


async def test_articles_and_those_of_a_tag(client: Client, max_: Person) -> None:
    one = await max_.post_article("On <ports> & docks", body="They *fit*.", tags=["größe", "b"])
    two = await max_.post_article("Elsewhere", url="https://example.com/?a=1&b=2", tags=["b"])
    parsed = await get_feed(client, "/articles.atom")
    assert [entry.id for entry in parsed.entries] == [f"urn:uuid:{a['id']}" for a in (two, one)]
    newest, oldest = parsed.entries
    assert newest.link == "https://example.com/?a=1&b=2"
    assert oldest.link == f"{BASE}/v1/articles/{one['slug']}"
    assert oldest.title == "On <ports> & docks"
    assert "<em>fit</em>" in oldest.content[0].value
    assert (oldest.author_detail.name, oldest.author_detail.href) == (
        "Max & Moritz",
        f"{BASE}/v1/users/max",
    )
    assert oldest.published == oldest.updated == one["created_at"]
    changed = await max_.client.patch(
        f"/v1/articles/{one['id']}", {"title": "Changed"}, headers={"If-Match": "*"}
    )
    parsed = await get_feed(client, "/articles.atom")
    assert parsed.entries[1].title == "Changed"
    assert parsed.entries[1].updated == parsed.feed.updated == expect(changed, 200)["edited_at"]

    tagged = await get_feed(client, "/tags/GRÖßE/articles.atom")
    assert [entry.id for entry in tagged.entries] == [f"urn:uuid:{one['id']}"]
    again = await get_feed(client, read_self(tagged))
    assert (again.feed.id, again.entries[0].id) == (tagged.feed.id, tagged.entries[0].id)
    assert (await get_feed(client, "/tags/nothing/articles.atom")).entries == []


async def test_comments_of_a_thread_and_of_a_person(client: Client, max_: Person) -> None:
    article = await max_.post_article("On ports")
    lee = await client.join("lee")
    first = await lee.reply(article["id"], "First, @max.")
    second = await max_.reply(article["id"], "Second.", first["id"])
    by_slug = await get_feed(client, f"/articles/{article['slug']}/comments.atom")
    by_id = await get_feed(client, f"/articles/{article['id']}/comments.atom")
    assert by_slug.entries == by_id.entries
    assert by_slug.feed == by_id.feed
    assert read_self(by_id) == f"/articles/{article['slug']}/comments.atom"
    assert by_id.feed.title == "Comments on On ports"
    assert [one.id for one in by_id.entries] == [f"urn:uuid:{c['id']}" for c in (second, first)]
    assert by_id.entries[1].link == f"{BASE}/v1/comments/{first['id']}"
    assert "@max" in by_id.entries[1].content[0].value
    of_lee = await get_feed(client, "/users/lee/comments.atom")
    assert [one.title for one in of_lee.entries] == ["On On ports"]
    assert of_lee.feed.title == "Comments by lee"
    expect_problem(await client.get("/v1/users/nobody/comments.atom"), 404, "user_not_found")
    gone = await client.get("/v1/articles/nothing/comments.atom")
    expect_problem(gone, 404, "article_not_found")


async def test_what_is_not_public_is_in_no_feed(
    client: Client, services: Services, max_: Person
) -> None:
    article = (await max_.post_article("Secret title", tags=["b"]))["id"]
    paths = [f"/articles/{article}/comments.atom", "/users/max/comments.atom"]
    await add_comment(services, max_, article, None, CommentState.PENDING, "Secret pending.")
    shown = (await max_.reply(article, "Secret shown."))["id"]
    for path in paths:
        assert len((await get_feed(client, path)).entries) == 1
    await change_states(services, article, [shown], CommentState.HIDDEN)
    for path in paths:
        response = await client.get(f"/v1{path}")
        assert parse(response).entries == []
        assert "Secret pending" not in response.text
    await change_states(services, article, [shown], CommentState.VISIBLE)
    for path in paths:
        assert len((await get_feed(client, path)).entries) == 1
    for path in ("/articles.atom", "/tags/b/articles.atom"):
        assert len((await get_feed(client, path)).entries) == 1
    deleted = await max_.client.delete(f"/v1/articles/{article}", headers={"If-Match": "*"})
    assert deleted.status_code == 204
    for path in ("/articles.atom", "/tags/b/articles.atom", "/users/max/comments.atom"):
        assert "Secret" not in (await client.get(f"/v1{path}")).text
    expect_problem(await client.get(f"/v1{paths[0]}"), 404, "article_not_found")


async def test_an_unchanged_feed_is_304(client: Client, max_: Person) -> None:
    article = (await max_.post_article(tags=["b"]))["id"]
    await max_.reply(article)
    for path in (
        *("/v1/articles.atom", "/v1/tags/b/articles.atom"),
        *(f"/v1/articles/{article}/comments.atom", "/v1/users/max/comments.atom"),
    ):
        tag = {"If-None-Match": (await client.get(path)).headers["etag"]}
        assert (await client.get(path, headers=tag)).status_code == 304
        await max_.reply(article)
        later = await client.get(path, headers=tag)
        # A reply is a new activity of the article, so lists of articles have a new tag.
        assert later.status_code == 200
        assert later.headers["content-type"] == "application/atom+xml"


async def test_a_feed_is_bounded(client: Client, services: Services, max_: Person) -> None:
    article = (await max_.post_article(body="x" * 20_000))["id"]
    await grow(services, article, [None] * 60, author_id=max_.id)
    for path in (f"/articles/{article}/comments.atom", "/users/max/comments.atom"):
        parsed = await get_feed(client, path)
        assert len(parsed.entries) == 50
        assert "Comment 59" in parsed.entries[0].content[0].value
    for _ in range(2):
        await max_.post_article()
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE articles SET html = repeat('x', 600000)"))
    await services.redis.call(lambda redis: redis.flushdb())
    assert len((await get_feed(client, "/articles.atom")).entries) == 1
