"""Articles that are made at the same moment."""

import asyncio

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect


async def test_one_title_from_twenty_clients_at_once_makes_twenty_slugs(client: Client) -> None:
    person = await client.join()
    answers = await asyncio.gather(
        *(person.client.post("/v1/articles", {"title": "Same title"}) for _ in range(20))
    )
    slugs = {expect(answer, 201)["slug"] for answer in answers}
    assert len(slugs) == 20
    assert "same-title" in slugs
    assert all(slug.startswith("same-title") for slug in slugs)


async def test_one_chosen_slug_at_once_is_one_article_s(client: Client) -> None:
    person = await client.join()
    body = {"title": "Title", "slug": "chosen"}
    answers = await asyncio.gather(*(person.client.post("/v1/articles", body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_one_external_id_at_once_is_created_once_and_then_changed(
    client: Client, services: Services
) -> None:
    person = await client.join()
    path = "/v1/articles/by-external-id/page-7"
    answers = await asyncio.gather(
        *(person.client.put(path, {"title": f"Title {n}"}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 8
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM articles")) == 1
        # One version a change, and an event for each.
        assert await session.scalar(text("SELECT version FROM articles")) == 7
        edits = "SELECT count(*) FROM events WHERE type = 'article_edited'"
        assert await session.scalar(text(edits)) == 7
