"""Tags from before lists of a tag had an index of their own get the sort keys of their articles."""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import DATABASE_VARIABLE
from tests.connections import connect_arguments
from tests.migrating import downgrade, make_database, upgrade

BEFORE, AFTER = "0005", "0006"
ARTICLES = 10

# Every third article was deleted; each has from none to three tags.
SEED = f"""
INSERT INTO articles (id, slug, title, body, html, created_at, last_activity_at, deleted_at, up)
SELECT gen_random_uuid(), 'a-' || n, 'Title', '', '', now() - n * interval '1 day',
       now() - n * interval '1 hour', CASE WHEN n % 3 = 0 THEN now() END, n * 31 % 7
FROM generate_series(1, {ARTICLES}) n;
INSERT INTO article_tags (article_id, tag, position)
SELECT a.id, 'tag-' || t, t
FROM articles a CROSS JOIN LATERAL generate_series(1, substring(slug FROM 3)::int % 4) t;
"""
KEYS = "{0}.created_at, {0}.last_activity_at, {0}.score, {0}.hot"
COPIES = f"""
SELECT a.slug, t.tag, ({KEYS.format("t")}) = ({KEYS.format("a")}) AS is_copied,
       t.shown, a.deleted_at IS NULL AS is_public
FROM article_tags t JOIN articles a ON a.id = t.article_id ORDER BY a.slug, t.tag
"""


@pytest.fixture
async def database(worker_name: str) -> AsyncIterator[str]:
    """The URL of a database of its own."""
    async with make_database(os.environ[DATABASE_VARIABLE], f"palaver_tags_{worker_name}") as url:
        yield url


async def test_tags_of_before_have_the_keys_of_their_articles(database: str) -> None:
    upgrade(database, BEFORE)
    connection = await asyncpg.connect(**connect_arguments(database))
    await connection.execute(SEED)
    upgrade(database, AFTER)
    rows = await connection.fetch(COPIES)
    assert len(rows) == sum(n % 4 for n in range(1, ARTICLES + 1))
    assert all(row["is_copied"] for row in rows)
    assert all(row["shown"] == row["is_public"] for row in rows)
    assert {row["shown"] for row in rows} == {True, False}
    # From here on a change of an article is copied.
    await connection.execute("UPDATE articles SET up = up + 5, version = version + 1")
    assert all(row["is_copied"] for row in await connection.fetch(COPIES))
    tags = "SELECT article_id, tag, position FROM article_tags ORDER BY article_id, position"
    before = await connection.fetch(tags)
    downgrade(database, BEFORE)
    assert await connection.fetch(tags) == before
    upgrade(database, AFTER)
    assert all(row["is_copied"] for row in await connection.fetch(COPIES))
    await connection.close()
