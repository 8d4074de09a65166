"""Lists of a tag: what they cost on a large site, and the keys they are sorted by."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from api.articles.queries import list_articles
from api.articles.schemas import ArticleSort
from api.kit.services import Services
from api.votes.service import publish_scores
from tests.client import Client, expect
from tests.connections import connect_arguments
from tests.plans import Explained, explain

ARTICLES = 30_000
# Pages of memory for a page of twenty: each article's row, author and tags by an index each.
PAGES = 21 * 12

# "all" is on each article, "old" on the oldest ten thousand, "tiny" on ten of the oldest, and
# "deleted" on those that were deleted, ten thousand of the newest.
SEED = f"""
INSERT INTO articles
       (id, slug, title, body, html, created_at, last_activity_at, deleted_at, state, up)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'a-' || n, 'Title', '', '',
       timestamptz '2024-01-01' + n * interval '1 minute',
       timestamptz '2024-06-01' + ((n * 7919) % {ARTICLES}) * interval '1 minute',
       CASE WHEN n > {ARTICLES} * 9 / 10 THEN now() END,
       CASE WHEN n > {ARTICLES} * 9 / 10 THEN 'deleted' ELSE 'visible' END, (n * 31) % 997
FROM generate_series(1, {ARTICLES}) n;
INSERT INTO article_tags
       (article_id, tag, position, created_at, last_activity_at, score, hot, shown)
SELECT a.id, t.tag, t.position, a.created_at, a.last_activity_at, a.score, a.hot,
       a.deleted_at IS NULL
FROM (SELECT *, substring(slug FROM 3)::int AS n FROM articles) a CROSS JOIN LATERAL (
  VALUES ('all', 0, true), ('old', 1, n <= {ARTICLES} / 10),
         ('tiny', 2, n % 100 = 1 AND n < 1000), ('deleted', 3, a.deleted_at IS NOT NULL)
) t (tag, position, has) WHERE t.has;
ANALYZE articles; ANALYZE article_tags;
"""


@pytest.fixture
async def large_site(client: Client, database_url: str) -> None:
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await connection.execute(SEED)
    await connection.close()


async def explain_list(services: Services, **filters: Any) -> Explained:
    arguments = {"sort": ArticleSort.NEW, "author": None, "after": None, "limit": 20, **filters}
    return await explain(services, lambda session: list_articles(session, **arguments))


@pytest.mark.usefixtures("large_site")
async def test_a_list_of_a_tag_costs_what_it_shows(services: Services) -> None:
    """A tag of all articles, of the oldest, of ten, of deleted ones only, of none: all the same."""
    counts = {"all": 20, "old": 20, "tiny": 10, "deleted": 0, "unknown": 0}
    for tag, shown in counts.items():
        for sort in ArticleSort:
            after: list[Any] = [None]
            if shown == 20:
                async with services.database.read_session() as session:
                    first = await list_articles(
                        session, sort=sort, tag=tag, author=None, after=None, limit=20
                    )
                assert len(first.data) == 20
                after.append((first.data[-1].key, first.data[-1].row.article.id))
            for position in after:
                cost = await explain_list(services, tag=tag, sort=sort, after=position)
                assert any(f"ix_article_tags_{sort}" in scan for scan in cost.scans), cost.scans
                # The tagged rows, their articles and authors, and the tags of each.
                assert cost.rows <= (shown + 1) * 7, (tag, sort, cost.scans)
                assert cost.pages <= PAGES, (tag, sort)


async def find_keys(services: Services, article: str) -> dict[str, Any]:
    async with services.database.read_session() as session:
        found = await session.execute(
            text("""
SELECT t.last_activity_at AS active, t.score, t.hot, t.shown, t.created_at,
       a.last_activity_at - t.last_activity_at AS lag, t.score = a.score AND t.hot = a.hot AS same
FROM article_tags t JOIN articles a ON a.id = t.article_id WHERE a.id = :id"""),
            {"id": UUID(article)},
        )
    return dict(found.mappings().one())


async def test_keys_follow_the_article(client: Client, services: Services, clock: Any) -> None:
    person, other = await client.join(), await client.join()
    article = (await person.post_article(tags=["a"]))["id"]
    older = (await person.post_article(tags=["a"]))["id"]
    before = await find_keys(services, article)
    assert before["same"]
    assert before["shown"]
    # Activity is copied once a second at most.
    await person.reply(article)
    assert (await find_keys(services, article))["lag"] < timedelta(seconds=1)
    clock.advance(seconds=2)
    await person.reply(article)
    assert (await find_keys(services, article))["lag"] == timedelta(0)
    listed = expect(await client.get("/v1/articles?tag=a&sort=active"), 200)["data"]
    assert [one["id"] for one in listed] == [article, older]
    # Votes are copied when they are published.
    for value, score in ((1, 1), (-1, -1), (0, 0)):
        expect(await other.client.put(f"/v1/articles/{older}/vote", {"value": value}), 200)
        await publish_scores(services)
        keys = await find_keys(services, older)
        assert keys["score"] == score
        assert keys["same"]
    # New tags have the keys, too.
    seen = await person.client.get(f"/v1/articles/{article}")
    await person.client.patch(
        f"/v1/articles/{article}", {"tags": ["b"]}, headers={"If-Match": seen.headers["etag"]}
    )
    keys = await find_keys(services, article)
    assert keys["same"]
    assert keys["lag"] == timedelta(0)
    assert keys["created_at"] == before["created_at"]
    await person.client.delete(f"/v1/articles/{article}", headers={"If-Match": "*"})
    assert not (await find_keys(services, article))["shown"]
    assert expect(await client.get("/v1/articles?tag=b"), 200)["data"] == []


async def test_an_imported_past_does_not_move_a_tag_back(
    client: Client, services: Services
) -> None:
    person = await client.join()
    article = (await person.post_article(tags=["a"]))["id"]
    before = await find_keys(services, article)
    assert before["active"] > datetime(2026, 1, 2, tzinfo=UTC) - timedelta(days=365)
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE articles SET version = version + 1"))
    assert (await find_keys(services, article))["active"] == before["active"]
