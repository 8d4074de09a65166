"""Lists of comments: bounded in bytes, with the article they belong to, read along an index."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.comments import queries
from api.comments.mentions.queries import select_people_of_thread
from api.comments.projection import MAX_PAGE_BYTES
from api.comments.schemas import FlatOrder
from api.kit.services import Services
from tests.client import Client, expect
from tests.comments.test_page_bytes import LARGEST, NODE_BYTES, set_sizes
from tests.forest import grow
from tests.plans import explain


async def test_lists_are_bounded_in_bytes(client: Client, services: Services) -> None:
    person = await client.join()
    article = (await person.post_article())["id"]
    ids = await grow(services, article, [None] * 20, author_id=person.id)
    await set_sizes(services, dict.fromkeys(ids, LARGEST) | {ids[3]: 10})
    lists = {
        f"/v1/articles/{article}/comments/flat?limit=100": ids,
        f"/v1/articles/{article}/comments/flat?limit=5&order=newest": ids[::-1],
        f"/v1/users/{person.handle}/comments?limit=100": ids[::-1],
    }
    for first, expected in lists.items():
        met: list[str] = []
        path = first
        while path:
            response = await client.get(path)
            page = expect(response, 200)
            assert page["data"]
            assert len(response.content) <= MAX_PAGE_BYTES + len(page["data"]) * NODE_BYTES
            met += [comment["id"] for comment in page["data"]]
            assert page["page"]["has_more"] == ("next" in response.links)
            path = response.links["next"]["url"] if "next" in response.links else ""
        assert met == expected


async def test_a_persons_comments_name_their_article(client: Client) -> None:
    person = await client.join()
    article = await person.post_article("On docking ports")
    comment = await person.reply(article["id"])
    [listed] = expect(await client.get(f"/v1/users/{person.handle}/comments"), 200)["data"]
    assert listed["article"] == {name: article[name] for name in ("id", "slug", "title")}
    assert listed["id"] == comment["id"]


async def test_lists_read_what_they_show(client: Client, services: Services) -> None:
    """Ten comments of a person and of an article, among 2,000 of both."""
    person, other = await client.join(), await client.join()
    article = (await person.post_article())["id"]
    large = (await person.post_article())["id"]
    await grow(services, article, [None] * 10, author_id=person.id)
    await grow(services, large, [None] * 2_000, author_id=other.id)
    async with services.database.write_session() as session:
        await session.execute(text("ANALYZE comments, articles, users"))
    for article_id, author_id, shown in ((article, person.id, 10), (large, other.id, 20)):
        flat = await explain(
            services,
            lambda session, one=article_id: queries.list_flat(
                session, UUID(one), order=FlatOrder.NEWEST, after=None, limit=20
            ),
        )
        by_author = await explain(
            services,
            lambda session, one=author_id: queries.list_by_author(
                session, UUID(one), after=None, limit=20
            ),
        )
        for cost in (flat, by_author):
            # Each comment, its article and its author.
            assert cost.rows <= 3 * (shown + 1), cost.scans


async def test_the_people_of_a_thread_are_found_by_steps(
    client: Client, services: Services
) -> None:
    writers = [await client.join() for _ in range(3)]
    article = (await writers[0].post_article())["id"]
    for writer in writers[1:]:
        await grow(services, article, [None] * 500, author_id=writer.id)
    async with services.database.write_session() as session:
        await session.execute(text("ANALYZE comments"))
    found = []

    async def read(session: AsyncSession) -> None:
        found.append(list(await session.scalars(select_people_of_thread(UUID(article)))))

    cost = await explain(services, read)
    assert sorted(map(str, found[0])) == sorted(writer.id for writer in writers)
    assert cost.rows <= 10, cost.scans
