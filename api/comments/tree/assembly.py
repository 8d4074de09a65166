"""Trees as answers: rows become nested nodes, with a cursor wherever there is more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from api.articles.errors import ArticleNotFound
from api.comments.errors import CommentNotFound
from api.comments.projection import to_comment_fields
from api.comments.tree.cursors import Position, Window, encode_window
from api.comments.tree.queries import MAX_COUNTED, TreeRows, find_context, find_tree, key_of
from api.kit.cache.pages import RenderedPage
from api.kit.http.conditional import make_revision_etags
from api.kit.services import Services


async def build_tree(services: Services, article_id: UUID, window: Window) -> RenderedPage:
    """Return the page as JSON of CommentTree. Raises ArticleNotFound or CommentNotFound."""
    make_etag = make_revision_etags((await services.epoch.get()).value, "comment")
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
    body = _to_json(content)
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
    below = [row for row in rows.nodes if row["level"] >= 0]
    line = [to_comment_fields(row) for row in reversed(rows.nodes) if row["level"] < 0]
    nodes = _nest(services, replace(rows, nodes=below), window, make_etag)
    content = {
        "article_id": article_id,
        "article": {"id": article_id, "slug": rows.slug, "title": rows.title},
        "version": rows.version,
        "sort": window.sort,
        "ancestors": line,
        "comment": nodes[0],
    }
    return RenderedPage(rows.version, _to_json(content))


def _nest(
    services: Services,
    rows: TreeRows,
    window: Window,
    make_etag: Callable[[UUID, int], str],
) -> list[dict[str, Any]]:
    """Return the top nodes, each with its replies in it.

    Rows come level by level, so a node's parent is always known before it.
    """
    top: list[dict[str, Any]] = []
    replies_of: dict[UUID, dict[str, Any]] = {}
    last_of: dict[UUID, RowMapping] = {}
    for row in rows.nodes:
        replies = {"data": [], "next_cursor": None, "remaining": row["reply_count"]}
        node = to_comment_fields(row)
        node["etag"] = make_etag(row["id"], row["revision"])
        node["replies"] = replies
        replies_of[row["id"]] = replies
        under = replies_of.get(row["parent_id"]) if row["level"] else None
        if under is None:
            top.append(node)
        else:
            under["data"].append(node)
            under["remaining"] -= 1
            last_of[row["parent_id"]] = row
    for node_id, replies in replies_of.items():
        if replies["remaining"] > 0:
            last = last_of.get(node_id)
            after = None if last is None else _position_of(last, passed=len(replies["data"]))
            replies["next_cursor"] = encode_window(
                services.signer, rows.article_id, window.go_on(node_id, after)
            )
    return top


def _position_of(row: RowMapping, *, passed: int) -> Position:
    return Position(key_of(row), row["id"], passed)


def _to_json(content: dict[str, Any]) -> bytes:
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
