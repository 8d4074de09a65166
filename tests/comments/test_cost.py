"""What a page and a reply cost: round trips to the database, and rows and pages read in it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.comments.schemas import CommentSort
from api.comments.tree.cursors import Position, Window
from api.comments.tree.queries import MAX_COUNTED, find_tree, key_of
from api.kit.services import Services
from tests.client import Client
from tests.conftest import Process
from tests.forest import grow, plant_bushes
from tests.plans import Explained, explain
from tests.screening.rules import add_rules, change_settings


class Count:
    """Round trips, as the driver makes them: statements, BEGIN, COMMIT and ROLLBACK."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)


@contextmanager
def round_trips(services: Services) -> Iterator[Count]:
    count = Count()
    writer, reader = services.database.writer.sync_engine, services.database.reader.sync_engine

    def on_statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # Every process reads the epoch every few seconds, whoever asks for what.
        if "database_epoch" not in statement:
            count.statements.append(statement)

    def on_commit(_: Any) -> None:
        # asyncpg begins with a round trip of its own, before the first statement.
        count.statements += ["BEGIN", "COMMIT"]

    def on_rollback(_: Any) -> None:
        count.statements += ["BEGIN", "ROLLBACK"]

    listeners = [
        (writer, "before_cursor_execute", on_statement),
        (reader, "before_cursor_execute", on_statement),
        (writer, "commit", on_commit),
        (writer, "rollback", on_rollback),
    ]
    for listener in listeners:
        event.listen(*listener)
    try:
        yield count
    finally:
        for listener in listeners:
            event.remove(*listener)


async def test_a_page_takes_two_round_trips_and_none_when_cached(
    client: Client,
    services: Services,
    start_process: Callable[[], Awaitable[Process]],
) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None, 0, 1, None])
    for path in (
        f"/v1/articles/{article['slug']}/comments",
        f"/v1/comments/{ids[0]}/replies",
        f"/v1/comments/{ids[2]}/context",
    ):
        await services.redis.call(lambda redis: redis.flushdb())
        one, two = await start_process(), await start_process()
        with round_trips(one.services) as count:
            first = await one.client.get(path)
        assert 1 <= len(count) <= 2, count.statements
        with round_trips(one.services) as count:
            # Once from the edge, once through the app.
            for headers in ({}, {"Origin": "https://elsewhere.example"}):
                again = await one.client.get(path, headers=headers)
                assert again.content == first.content
        assert len(count) == 0, count.statements
        # Another process has the tree from Redis; which article it is of it has to look up.
        with round_trips(two.services) as count:
            elsewhere = await two.client.get(path)
        assert len(count) <= 1, count.statements
        assert elsewhere.content == first.content


@pytest.mark.parametrize("body", ["Plain.", "With @max and @Lee Stevenson."])
async def test_a_reply_takes_nine_round_trips(
    client: Client, services: Services, body: str
) -> None:
    person = await client.join("max")
    await client.join("lee", display_name="Lee Stevenson")
    article = await person.post_article()
    ids = await grow(services, article["id"], [None, 0, 1])
    await add_rules(services, ("word", "blorp", "hold"), ("domain", "bad.example", "reject"))
    await person.reply(article["id"], "First.")
    await change_settings(services, held_first_comments=1, max_links=5, max_repeats=9)
    # The first one after a change of the rules loads them.
    await person.reply(article["id"], "Second.")
    with round_trips(services) as count:
        await person.reply(article["id"], body, ids[-1])
    # Who asks; BEGIN; who is mentioned; what screening needs; version, comment, notifications,
    # events; COMMIT. A slug that this process has not seen yet takes one more.
    assert len(count) <= 9, count.statements


async def explain_page(services: Services, article_id: str, window: Window) -> Explained:
    async def read(session: AsyncSession) -> None:
        await find_tree(await session.connection(), UUID(article_id), window)

    return await explain(services, read)


async def test_a_page_costs_the_same_however_large_the_article(
    client: Client,
    services: Services,
    database_url: str,
) -> None:
    """500 comments against 50,000: as many rows, and a few more levels of index at the most."""
    person = await client.join()
    small = (await person.post_article("Small"))["id"]
    large = (await person.post_article("Large"))["id"]
    await plant_bushes(database_url, small, 50 + 10)
    await plant_bushes(database_url, large, 5_000)
    for sort in CommentSort:
        for goes_on in (False, True):
            costs = []
            for article_id in (small, large):
                window = Window(under_id=UUID(article_id), sort=sort, limit=25, children=5, depth=4)
                async with services.database.read_connection() as connection:
                    rows = await find_tree(connection, UUID(article_id), window)
                assert rows is not None
                assert len(rows.nodes) == 250
                if goes_on:
                    top = [row for row in rows.nodes if row.level == 0]
                    position = Position(key_of(top[-1]), top[-1].id, len(top))
                    window = window.go_on(window.under_id, position)
                costs.append(await explain_page(services, article_id, window))
            of_small, of_large = costs
            assert not any("Seq Scan comments" in scan for scan in of_large.scans), of_large.scans
            # After a cursor up to 200 more are counted, of which the small article has ten.
            counted = MAX_COUNTED if goes_on else 0
            assert of_large.rows <= of_small.rows + counted, (sort, goes_on)
            assert of_large.pages <= 1.4 * of_small.pages + counted, (sort, goes_on)


async def test_the_text_that_does_not_fit_a_page_is_not_read(
    client: Client, services: Services
) -> None:
    """Two hundred comments of 130 KB, which PostgreSQL stores in 16 pages each."""
    article = (await (await client.join()).post_article())["id"]
    await grow(services, article, [None] * 200)
    async with services.database.write_session() as session:
        await session.execute(
            text(
                "UPDATE comments SET html = (SELECT string_agg(md5(n::text || comments.id), '') "
                "FROM generate_series(1, 4000) n)"
            )
        )
    window = Window(under_id=UUID(article), sort=CommentSort.OLD, limit=200, children=5, depth=4)
    explained = await explain_page(services, article, window)
    assert explained.rows <= 2 * 200 + 10
    assert explained.pages <= 3 * 200
