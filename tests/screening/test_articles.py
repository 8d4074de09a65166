"""Screening of articles: what would be held is refused, since an article cannot wait."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from api.articles.service import import_article
from api.kit.services import Services
from models import SanctionKind
from tests.client import Client, Person, expect, expect_problem
from tests.credentials import restrict
from tests.screening.rules import add_rules, change_settings, list_decisions


@pytest.mark.parametrize("action", ["hold", "reject"])
async def test_an_article_that_would_be_held_is_refused(
    client: Client, services: Services, action: str
) -> None:
    person = await client.join()
    known = await person.post_article("Before", external_id="site-1")
    await add_rules(services, ("word", "blorp", action))
    bad = {"title": "A BLORP", "body": "Text."}
    path = f"/v1/articles/{known['id']}"
    any_version = {"If-Match": "*"}
    for response in (
        await person.client.post("/v1/articles", bad),
        await person.client.post("/v1/articles", {"title": "Fine", "body": "blorp"}),
        await person.client.put("/v1/articles/by-external-id/site-1", bad),
        await person.client.put("/v1/articles/by-external-id/site-2", bad),
        await person.client.patch(path, {"title": "blorp"}, headers=any_version),
        await person.client.patch(path, {"body": "blorp"}, headers=any_version),
    ):
        expect_problem(response, 422, "article_rejected")
        assert "word" not in response.text
    decisions = await list_decisions(services)
    assert [one["outcome"] for one in decisions] == ["reject"] * 6
    async with services.database.read_session() as session:
        rows = await session.execute(text("SELECT title, body, revision FROM articles"))
    assert rows.all() == [("Before", "Text.", 1)]


async def test_a_flagged_article_is_published(client: Client, services: Services) -> None:
    person = await client.join()
    await add_rules(services, ("word", "blorp", "flag"))
    article = await person.post_article("A blorp")
    [decision] = await list_decisions(services)
    assert str(decision["article_id"]) == article["id"]
    assert (decision["outcome"], decision["revision"]) == ("flag", 1)
    assert await list_flagged(services) == [(article["id"], ["words"])]


@pytest.mark.parametrize("action", ["flag", "hold", "reject"])
async def test_an_imported_article_is_flagged_at_most(
    client: Client, services: Services, action: str
) -> None:
    await add_rules(services, ("word", "blorp", action))
    await change_settings(services, max_links=0)
    async with services.unit_of_work() as uow:
        article = await import_article(
            uow,
            external_id="import 1",
            title="A bl0rp",
            body="See https://one.example and blorp.",
            author_id=None,
            created_at=uow.now,
        )
    shown = expect(await client.get(f"/v1/articles/{article.id}"), 200)
    assert shown["title"] == "A bl0rp"
    decisions = await list_decisions(services)
    assert {(one["article_id"], one["outcome"]) for one in decisions} == {(article.id, "flag")}
    found = [(one["phase"], one["span_start"]) for one in decisions]
    assert sorted(found, key=str) == [("links", None), ("words", 28), ("words", None)]
    assert await list_flagged(services) == [(str(article.id), ["links", "words"])]


async def test_who_moderates_an_article_is_only_flagged(
    client: Client, services: Services, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    admin, author, local = await make_staff("admin"), await client.join(), await client.join("lena")
    article = await author.post_article(tags=["space"], external_id="site-1")
    other = await author.post_article()
    appointed = {"tags": ["space"], "article_ids": [other["id"]]}
    expect(await admin.client.put("/v1/moderators/lena", appointed), 200)
    await add_rules(services, ("word", "blorp", "reject"))
    any_version = {"If-Match": "*"}
    for one in (article, other):
        path = f"/v1/articles/{one['id']}"
        changed = await local.client.patch(path, {"title": "A blorp"}, headers=any_version)
        expect(changed, 200)
    again = {"title": "Another blorp", "tags": ["space"]}
    expect(await local.client.put("/v1/articles/by-external-id/site-1", again), 200)
    await local.post_article("A blorp", tags=["space"])
    refused = await local.client.post("/v1/articles", {"title": "A blorp", "tags": ["ports"]})
    expect_problem(refused, 422, "article_rejected")
    await restrict(services, local.id, SanctionKind.PRE_MODERATION)
    refused = await local.client.post("/v1/articles", {"title": "Fine", "tags": ["space"]})
    expect_problem(refused, 422, "article_rejected")


async def list_flagged(services: Services) -> list[tuple[str, list[str]]]:
    """Return the articles that the log names to moderators, each with what found something."""
    statement = text("SELECT article_id, after FROM moderation_log WHERE action = 'escalate'")
    async with services.database.read_session() as session:
        rows = (await session.execute(statement)).all()
    return [(str(row.article_id), row.after["phases"]) for row in rows]


async def test_settings_about_comments_do_not_concern_articles(
    client: Client, services: Services
) -> None:
    await change_settings(services, held_first_comments=5, max_repeats=1, max_links=1)
    person = await client.join()
    article = await person.post_article(body="https://one.example")
    refused = await person.client.patch(
        f"/v1/articles/{article['id']}",
        {"body": "https://one.example https://two.example"},
        headers={"If-Match": "*"},
    )
    expect_problem(refused, 422, "article_rejected")


async def test_a_shadow_ban_is_not_named(client: Client, services: Services) -> None:
    person = await client.join()
    await restrict(services, person.id, SanctionKind.SHADOW_BAN)
    refused = await person.client.post("/v1/articles", {"title": "Mine"})
    assert "shadow" not in str(expect_problem(refused, 422, "article_rejected"))
    assert expect(await client.get("/v1/articles"), 200)["data"] == []
