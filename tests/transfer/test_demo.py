"""`palaver demo`: threads that look lived in, made through the services, and never made twice."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.transfer.demo import service
from api.transfer.demo.content import PASSWORD, load_content
from api.transfer.demo.service import DemoError, DemoReport, add_demo
from api.votes.schemas import VoteRead
from api.votes.service import vote_on_article
from tests.client import Client, expect, flatten
from tests.screening.rules import add_rules, change_settings


def test_the_content_is_consistent() -> None:
    content = load_content()
    assert len(content.people) == 12
    assert sum(len(thread.comments) for thread in content.threads.values()) > 100
    for thread in content.threads.values():
        assert thread.author in content.people
        for position, comment in enumerate(thread.comments, start=1):
            assert comment.n == position
            assert comment.replies_to is None or 1 <= comment.replies_to < position
            assert comment.author in content.people
            assert sum(comment.votes) < len(content.people)


async def test_the_demo_can_be_read_logged_into_and_added_again(
    client: Client, services: Services
) -> None:
    # Whatever the rules of the forum say of its texts.
    await add_rules(services, ("word", "the", "reject"))
    await change_settings(services, held_first_comments=5, max_links=0)
    report = await add_demo(services)
    await change_settings(services, held_first_comments=0)
    content = load_content()
    assert (report.people, report.threads) == (12, len(content.threads))

    articles = expect(await client.get("/v1/articles?limit=50"), 200)["data"]
    assert {article["title"] for article in articles} == {
        thread.title for thread in content.threads.values()
    }
    assert sum(article["comment_count"] for article in articles) == report.comments
    assert len({article["created_at"] for article in articles}) == len(articles)
    longest = next(a for a in articles if a["external_id"] == "demo:1-library-of-things")
    assert longest["tags"] == ["neighbours", "sharing"]
    assert (longest["up"], longest["down"]) == (9, 1)
    nodes = flatten((await client.tree(longest["slug"], sort="old", depth=10, children=50))["data"])
    assert max(node["depth"] for node in nodes) >= 9
    assert any(node["mentions"] for node in nodes)
    assert any(node["down"] for node in nodes)
    moments = [node["created_at"] for node in nodes]
    assert len(set(moments)) == len(moments)
    assert max(moments) <= services.clock.now().isoformat()

    login = {"login": "amara-okafor", "password": PASSWORD}
    expect(await client.post("/v1/sessions", login), 201)
    person = await client.join()
    await person.reply(longest["slug"], "A new one, @sam-porter.")
    before = await _count_rows(services)
    assert await add_demo(services) == DemoReport(0, 0, 0, report.handles)
    assert await _count_rows(services) == before


async def test_a_demo_that_was_interrupted_is_completed(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes = 0

    async def fail_in_the_third_thread(*arguments: Any) -> VoteRead:
        nonlocal votes
        votes += 1
        if votes == 20:
            raise ZeroDivisionError
        return await vote_on_article(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(service, "vote_on_article", fail_in_the_third_thread)
        with pytest.raises(ZeroDivisionError):
            await add_demo(services)
    partial = await _count_rows(services)
    report = await add_demo(services)
    whole = await _count_rows(services)
    content = load_content().threads.values()
    assert (partial["users"], report.people) == (12, 0)
    assert partial["articles"] == 3  # the third one without its comments
    assert report.threads == len(content) - 2
    assert whole["articles"] == len(content)
    assert whole["comments"] == sum(len(thread.comments) for thread in content)
    assert whole["article_votes"] == sum(sum(thread.votes) for thread in content)


async def test_a_forum_in_use_is_refused(client: Client, services: Services) -> None:
    await client.join("anybody")
    with pytest.raises(DemoError, match="--force"):
        await add_demo(services)
    assert expect(await client.get("/v1/articles"), 200)["data"] == []


async def test_a_handle_of_somebody_else_is_refused(client: Client, services: Services) -> None:
    await client.join("sam-porter", email="another@example.org")
    with pytest.raises(DemoError, match="sam-porter"):
        await add_demo(services, beside_others=True)
    assert expect(await client.get("/v1/articles"), 200)["data"] == []


async def _count_rows(services: Services) -> dict[str, int]:
    tables = ("users", "articles", "comments", "comment_votes", "article_votes", "events")
    async with services.database.read_session() as session:
        return {
            table: int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            for table in tables
        }
