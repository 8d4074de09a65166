"""Articles that are created at the same moment, in rounds on open connections."""

import asyncio

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect
from tests.warm import warm_pools

ROUNDS = 6


async def test_one_title_from_twenty_clients_at_once_makes_twenty_slugs(
    client: Client, services: Services
) -> None:
    person = await client.join()
    await warm_pools(services)
    for turn in range(ROUNDS):
        body = {"title": f"Title number {turn}"}
        responses = await asyncio.gather(
            *(person.client.post("/v1/articles", body) for _ in range(20))
        )
        slugs = {expect(response, 201)["slug"] for response in responses}
        assert len(slugs) == 20
        assert f"title-number-{turn}" in slugs
        assert all(slug.startswith(f"title-number-{turn}") for slug in slugs)


async def test_one_chosen_slug_at_once_belongs_to_one_article(
    client: Client, services: Services
) -> None:
    person = await client.join()
    await warm_pools(services)
    for turn in range(ROUNDS):
        body = {"title": "Title", "slug": f"chosen-{turn}"}
        responses = await asyncio.gather(
            *(person.client.post("/v1/articles", body) for _ in range(8))
        )
        assert sorted(response.status_code for response in responses) == [201] + [409] * 7


async def test_one_external_id_at_once_is_created_once_and_then_changed(
    client: Client, services: Services
) -> None:
    person = await client.join()
    await warm_pools(services)
    for turn in range(ROUNDS):
        path = f"/v1/articles/by-external-id/page-{turn}"
        responses = await asyncio.gather(
            *(person.client.put(path, {"title": f"Title {n}"}) for n in range(8))
        )
        assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
        assert len({response.json()["id"] for response in responses}) == 1
        assert len({response.headers["etag"] for response in responses}) == 8
    async with services.database.read_session() as session:
        # One version a change, and an event for each.
        versions = await session.scalars(text("SELECT version FROM articles"))
        assert list(versions) == [7] * ROUNDS
        edits = "SELECT count(*) FROM events WHERE type = 'article_edited'"
        assert await session.scalar(text(edits)) == 7 * ROUNDS
