"""Times pages of trees as they are built from the database: every cache is left out.

What is timed is `build_tree`, the service's own way from a window to the bytes of the response:
session, statement, nesting, cursors, JSON. Input: engines, the slugs of a large and a small
article, `kind`, and the seconds to spend. Output: milliseconds by segment.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from sqlalchemy import event

from api.comments.schemas import CommentSort
from api.comments.tree.assembly import build_tree
from api.comments.tree.cached_reads import (
    DEFAULT_CHILDREN,
    DEFAULT_DEPTH,
    DEFAULT_LIMIT,
    DEFAULT_SORT,
)
from api.comments.tree.cursors import Position, Window
from api.kit.services import Services
from api.main import make_services
from benchmarks.engines import connect
from benchmarks.measure import ROUNDS
from benchmarks.probes.settings import make_settings
from benchmarks.responses import count_nodes

# Places looked at in an article to find pages of equal size in both, and pairs of these timed.
_PLACES = 120
_PAIRS = 20
# Roots that must follow a place, so that the page after it is a full one.
_PAGE = 20
# Comments that stand under a node at least, where "load more" is measured.
_MORE = 10
# The key of each order, as a cursor holds it, and the order itself.
_TIME = "(extract(epoch FROM created_at) * 1000000)::float8"
_ORDERS = {
    CommentSort.NEW: (_TIME, "created_at DESC, id DESC"),
    CommentSort.OLD: (_TIME, "created_at, id"),
    CommentSort.BEST: ("best", "best DESC, id"),
    CommentSort.TOP: ("score::float8", "score DESC, id"),
    CommentSort.HOT: ("hot", "hot DESC, id"),
    CommentSort.CONTROVERSIAL: ("controversy", "controversy DESC, id"),
}

_Page = tuple[UUID, Window]
_Call = Callable[[], Awaitable[Any]]


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """Measure one kind: "first", "deeper" or "driver"."""
    services = make_services(make_settings(task))
    connection = await connect(task["database_url"], jit="off")
    try:
        large, small = [await _find_article(connection, task[one]) for one in ("large", "small")]
        if task["kind"] == "first":
            return await _time_first(services, large, small, task["seconds"])
        if task["kind"] == "deeper":
            return await _time_deeper(services, connection, large, small, task["seconds"])
        return await _time_driver(services, connection, large, task["seconds"])
    finally:
        await connection.close()
        await services.close()


async def _time_first(
    services: Services, large: UUID, small: UUID, seconds: float
) -> dict[str, Any]:
    """Time the first page of both, with as many roots in the small one as give as many nodes."""
    page = (large, _first_page(large, DEFAULT_LIMIT))
    nodes = await _count(services, page)
    candidates = [(small, _first_page(small, limit)) for limit in range(10, 2 * DEFAULT_LIMIT)]
    counted = [(await _count(services, one), one) for one in candidates]
    small_nodes, other = min(counted, key=lambda found: abs(found[0] - nodes))
    times = await _alternate([_building(services, page)], [_building(services, other)], seconds)
    return {"nodes": [nodes, small_nodes], "times": times}


async def _time_deeper(
    services: Services, connection: asyncpg.Connection, large: UUID, small: UUID, seconds: float
) -> dict[str, Any]:
    """Time pages in the middle of every order, and "load more" anywhere, paired by their size."""
    kinds = {}
    for sort in CommentSort:
        for name, find in (("page", _find_pages), ("load more", _find_more)):
            pages = [await find(connection, article, sort) for article in (large, small)]
            pairs = await _pair(services, *pages)
            ours, other = zip(*pairs, strict=True)
            times = await _alternate(
                [_building(services, page) for page in ours],
                [_building(services, page) for page in other],
                seconds / (2 * len(CommentSort)),
            )
            nodes = [sum([await _count(services, page) for page in side]) for side in (ours, other)]
            kinds[f"{name}, {sort}"] = {"pairs": len(pairs), "nodes": nodes, "times": times}
    return {"kinds": kinds}


async def _time_driver(
    services: Services, connection: asyncpg.Connection, article: UUID, seconds: float
) -> dict[str, Any]:
    """Time the first page against the bare driver with the statements that it consists of."""
    page = (article, _first_page(article, DEFAULT_LIMIT))
    statements: list[tuple[str, tuple[Any, ...]]] = []

    def note(*arguments: Any) -> None:
        statements.append((arguments[2], tuple(arguments[3])))

    engine = services.database.reader.sync_engine
    await _count(services, page)
    event.listen(engine, "before_cursor_execute", note)
    nodes = await _count(services, page)
    event.remove(engine, "before_cursor_execute", note)

    async def fetch() -> None:
        for statement, values in statements:
            await connection.fetch(statement, *values)

    times = await _alternate([_building(services, page)], [fetch], seconds)
    return {"nodes": nodes, "statements": len(statements), "times": times}


async def _alternate(ours: list[_Call], other: list[_Call], seconds: float) -> list[list[float]]:
    """Return the medians of three segments of both sides, in milliseconds, ours first.

    Both sides are called once before, so that each statement is prepared and each page is in
    memory: what is compared is work, not the disk. Within a segment they take turns call by call,
    so that whatever else the machine does meets both.
    """
    for call in (*ours, *other):
        await call()
    segments: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        times: list[list[float]] = [[], []]
        ends = time.perf_counter() + seconds / ROUNDS
        while time.perf_counter() < ends:
            for both in zip(ours, other, strict=True):
                for side, call in enumerate(both):
                    began = time.perf_counter()
                    await call()
                    times[side].append(time.perf_counter() - began)
        for side, measured in enumerate(times):
            segments[side].append(1000 * median(measured))
    return segments


async def _pair(
    services: Services, large: list[_Page], small: list[_Page]
) -> list[tuple[_Page, _Page]]:
    """Return pages of both that show the same number of nodes. Raises RuntimeError without any."""
    by_count: dict[int, list[_Page]] = {}
    for page in large:
        by_count.setdefault(await _count(services, page), []).append(page)
    pairs = []
    for page in small:
        count = await _count(services, page)
        if count and by_count.get(count):
            pairs.append((by_count[count].pop(), page))
    if not pairs:
        raise RuntimeError("no two pages show the same number of nodes")
    return pairs[:_PAIRS]


async def _find_pages(
    connection: asyncpg.Connection, article: UUID, sort: CommentSort
) -> list[_Page]:
    """Return pages after roots from anywhere in the order but its end."""
    key, order = _ORDERS[sort]
    rows = await connection.fetch(
        f"WITH roots AS (SELECT id, {key} AS key, row_number() OVER (ORDER BY {order}) AS place, "
        "  count(*) OVER () AS total FROM comments WHERE under_id = $1 AND listed) "
        "SELECT * FROM roots WHERE place <= total - $2 ORDER BY md5(id::text) LIMIT $3",
        article,
        _PAGE,
        _PLACES,
    )
    return [
        (article, _window(article, sort, _PAGE, Position(row["key"], row["id"], row["place"])))
        for row in rows
    ]


async def _find_more(
    connection: asyncpg.Connection, article: UUID, sort: CommentSort
) -> list[_Page]:
    """Return what a client loads under a node: what follows the replies it was given, or all."""
    key, order = _ORDERS[sort]
    rows = await connection.fetch(
        "SELECT p.id AS under_id, r.id, r.key FROM ("
        "  SELECT id, reply_count FROM comments WHERE article_id = $1 AND listed"
        f"  AND descendant_count >= {_MORE} ORDER BY md5(id::text) LIMIT $2) p "
        f"LEFT JOIN LATERAL (SELECT id, {key} AS key FROM comments WHERE under_id = p.id AND listed"
        f"  ORDER BY {order} OFFSET $3 - 1 LIMIT 1) r ON p.reply_count > $3",
        article,
        _PLACES,
        DEFAULT_CHILDREN,
    )
    return [
        (
            article,
            _window(
                row["under_id"],
                sort,
                DEFAULT_LIMIT,
                row["id"] and Position(row["key"], row["id"], DEFAULT_CHILDREN),
            ),
        )
        for row in rows
    ]


async def _find_article(connection: asyncpg.Connection, slug: str) -> UUID:
    found: UUID = await connection.fetchval("SELECT id FROM articles WHERE slug = $1", slug)
    return found


def _window(under_id: UUID, sort: CommentSort, limit: int, after: Position | None) -> Window:
    return Window(
        under_id=under_id,
        sort=sort,
        limit=limit,
        children=DEFAULT_CHILDREN,
        depth=DEFAULT_DEPTH,
        after=after,
    )


def _first_page(article: UUID, limit: int) -> Window:
    return _window(article, DEFAULT_SORT, limit, None)


def _building(services: Services, page: _Page) -> _Call:
    return lambda: build_tree(services, *page)


async def _count(services: Services, page: _Page) -> int:
    return count_nodes(json.loads((await build_tree(services, *page)).body)["data"])


if __name__ == "__main__":
    json.dump(uvloop.run(run(json.load(sys.stdin))), sys.stdout)
