"""Trees as responses: rows become nested nodes, with a cursor wherever there is more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from api.articles.errors import ArticleNotFound
from api.comments.errors import CommentNotFound
from api.comments.projection import FIELDS, add_author
from api.comments.tree.cursors import Position, Window, encode_window
from api.comments.tree.queries import (
    AUTHOR_COLUMNS_AT,
    MAX_COUNTED,
    TreeRows,
    find_context,
    find_tree,
    key_of,
)
from api.kit.cache.pages import RenderedPage
from api.kit.http.conditional import make_revision_etags
from api.kit.services import Services


async def build_tree(services: Services, article_id: UUID, window: Window) -> RenderedPage:
    """Return the page as JSON of CommentTree. Raises ArticleNotFound or CommentNotFound."""
    epoch = (await services.epoch.get()).value
    make_etag = make_revision_etags(epoch, "comment")
    async with services.database.read_connection() as connection:
        rows = await find_tree(connection, article_id, window)
    if rows is None:
        raise ArticleNotFound if window.under_id == article_id else CommentNotFound
    nodes = _nest(services, rows, window, make_etag)
    passed = window.after.passed if window.after else 0
    remaining = _count_remaining(rows, window, shown=len(nodes), passed=passed)
    next_cursor = None
    if remaining:
        last = rows.nodes[len(nodes) - 1]
        position = _position_of(last, passed=passed + len(nodes))
        next_cursor = encode_window(
            services.signer, article_id, window.go_on(window.under_id, position)
        )
    content = {
        "article_id": article_id,
        "epoch": epoch,
        "version": rows.version,
        "sort": window.sort,
        "notice": rows.notice,
        "pinned_comment_id": rows.pinned_comment_id,
        "data": nodes,
        "page": {
            "next_cursor": next_cursor,
            "has_more": remaining > 0,
            "remaining": remaining,
        },
    }
    body = to_json(content)
    return RenderedPage(rows.version, body, next_cursor=next_cursor)


async def build_context(
    services: Services, article_id: UUID, window: Window, *, ancestors: int
) -> RenderedPage:
    """Return the comment in its line as JSON of CommentContext. Raises CommentNotFound."""
    make_etag = make_revision_etags((await services.epoch.get()).value, "comment")
    async with services.database.read_connection() as connection:
        rows = await find_context(connection, article_id, window, ancestors)
    if rows is None:
        raise CommentNotFound
    below = [row for row in rows.nodes if row.level >= 0]
    line = [_to_fields(row) for row in reversed(rows.nodes) if row.level < 0]
    nodes = _nest(services, replace(rows, nodes=below), window, make_etag)
    content = {
        "article_id": article_id,
        "article": {"id": article_id, "slug": rows.slug, "title": rows.title},
        "version": rows.version,
        "sort": window.sort,
        "ancestors": line,
        "comment": nodes[0],
    }
    return RenderedPage(rows.version, to_json(content))


def _nest(
    services: Services,
    rows: TreeRows,
    window: Window,
    make_etag: Callable[[str, int], str],
) -> list[dict[str, Any]]:
    """Return the top nodes, each with its replies in it.

    Rows come level by level, so a node's parent is always known before it.
    """
    article_id = str(rows.article_id)
    top: list[dict[str, Any]] = []
    replies_of: dict[str, dict[str, Any]] = {}
    last_of: dict[str, Row[Any]] = {}
    for row in rows.nodes:
        node = _to_fields(row)
        # Written out once: orjson leaves asyncpg's UUIDs to a call of Python for each.
        node_id = node["id"] = str(node["id"])
        node["article_id"] = article_id
        node["etag"] = make_etag(node_id, row.revision)
        node["replies"] = replies_of[node_id] = {
            "data": [],
            "next_cursor": None,
            "remaining": node["reply_count"],
        }
        if row.level:
            parent_id = node["parent_id"] = str(node["parent_id"])
            under = replies_of[parent_id]
            under["data"].append(node)
            under["remaining"] -= 1
            last_of[parent_id] = row
        else:
            top.append(node)
    for node_id, replies in replies_of.items():
        if replies["remaining"] > 0:
            last = last_of.get(node_id)
            after = None if last is None else _position_of(last, passed=len(replies["data"]))
            replies["next_cursor"] = encode_window(
                services.signer, rows.article_id, window.go_on(UUID(node_id), after)
            )
    return top


def _to_fields(row: Row[Any]) -> dict[str, Any]:
    """Return the fields of CommentRead; a row begins with FIELDS and has AUTHOR_NAMES behind.

    By position: looking each of a thousand nodes' columns up by name takes twice as long.
    """
    return add_author(dict(zip(FIELDS, row, strict=False)), *row[AUTHOR_COLUMNS_AT])


def _position_of(row: Row[Any], *, passed: int) -> Position:
    return Position(key_of(row), row.id, passed)


def to_json(content: dict[str, Any]) -> bytes:
    """Return a response as JSON; times are in UTC, with `Z`."""
    # asyncpg's UUID is a subclass, which orjson leaves to its caller.
    return orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z)


def _count_remaining(rows: TreeRows, window: Window, *, shown: int, passed: int) -> int:
    """Return how many siblings follow those shown.

    From the start it is known. After a cursor it is counted, up to a bound; beyond that bound it
    is what the cursor passed that is taken from the total.
    """
    if rows.counted is None:
        return rows.total - shown
    if rows.counted < window.limit + MAX_COUNTED:
        return rows.counted - shown
    return max(rows.counted - shown, rows.total - passed - shown)
