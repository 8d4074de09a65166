"""The one statement behind every page of a tree.

It starts under the article or under a comment, takes the first `limit` replies there by one index,
then the first `children` under each of those, level by level. It touches what it returns, not what
the article holds. The article's version comes from the same statement, so from the same snapshot.

A page has a budget of bytes too. Nodes are taken level by level, within a level in the order of the
page, until the next one does not fit. So those that are shown of any siblings are the first ones,
each under a parent that is shown; and the texts of the others are not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextualSelect, bindparam, column, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Double, Integer, TypeEngine, Uuid

from api.articles.visibility import PUBLIC_A
from api.comments.projection import (
    AUTHOR_COLUMNS,
    AUTHOR_NAMES,
    COLUMNS,
    FIELDS,
    JOIN_AUTHOR,
    MAX_PAGE_BYTES,
)
from api.comments.schemas import CommentSort
from api.comments.tree.cursors import Window
from api.comments.visibility import LISTED_C, LISTED_P

# Nodes in one response. The recursion stops here; what is not shown is counted as remaining.
MAX_NODES = 1000
# After a cursor, the rest is counted up to here, so that a page costs the same anywhere.
MAX_COUNTED = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_KEY_TYPES: dict[str, TypeEngine[Any]] = {
    "created_at": TIMESTAMP(timezone=True),
    "score": Integer(),
}


@dataclass(frozen=True, slots=True)
class _Order:
    column: str
    direction: str
    # Ties of votes: the older first. Times hardly tie; their index is read from either end.
    tie: str


_ORDERS = {
    CommentSort.NEW: _Order("created_at", "DESC", "DESC"),
    CommentSort.OLD: _Order("created_at", "ASC", "ASC"),
    CommentSort.BEST: _Order("best", "DESC", "ASC"),
    CommentSort.TOP: _Order("score", "DESC", "ASC"),
    CommentSort.HOT: _Order("hot", "DESC", "ASC"),
    CommentSort.CONTROVERSIAL: _Order("controversy", "DESC", "ASC"),
}


# In the order of the statement. Named one by one they are matched once, not for each result.
_OF_NODE = (*FIELDS, "revision", "key", "level")
AUTHOR_COLUMNS_AT = slice(len(_OF_NODE), len(_OF_NODE) + len(AUTHOR_NAMES))
_RESULT = [
    column(name, JSONB() if name == "mentions" else None)
    for name in (
        *(*_OF_NODE, *AUTHOR_NAMES),
        *("head_version", "total", "slug", "title", "pinned_comment_id", "notice", "counted"),
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRows:
    """What the statement found: of one snapshot, siblings in order, parents before children.

    In a context the ancestors stand after the comment itself, from the parent up.
    """

    article_id: UUID
    # Of the article; None in a page.
    slug: str | None
    title: str | None
    # Of the article; None in a context.
    pinned_comment_id: UUID | None
    notice: str | None
    version: int
    # Listed replies directly under the window's `under_id`.
    total: int
    # Those after the window's position, counted up to `limit + MAX_COUNTED`; None at the start.
    counted: int | None
    nodes: Sequence[Row[Any]]


async def find_tree(
    connection: AsyncConnection, article_id: UUID, window: Window
) -> TreeRows | None:
    """Return the window's part of the tree, None when the article or the comment isn't shown."""
    is_root = window.under_id == article_id
    statement = _compose_page(window.sort, is_root=is_root, goes_on=window.after is not None)
    values: dict[str, Any] = {
        "article_id": article_id,
        "under_id": window.under_id,
        "limit": window.limit,
        "children": window.children,
        "levels": window.depth,
        "max_bytes": MAX_PAGE_BYTES,
    }
    if window.after is not None:
        values |= {
            "key": _to_key(window.sort, window.after.key),
            "last_id": window.after.id,
            "count_limit": window.limit + MAX_COUNTED,
        }
    return await _run(connection, article_id, statement, values)


async def find_context(
    connection: AsyncConnection, article_id: UUID, window: Window, ancestors: int
) -> TreeRows | None:
    """Return the comment `under_id` at level 0, its replies below, its line at negative levels."""
    values = {
        "article_id": article_id,
        "under_id": window.under_id,
        "children": window.children,
        "levels": window.depth,
        "ancestors": ancestors,
        "max_bytes": MAX_PAGE_BYTES,
    }
    return await _run(connection, article_id, _compose_context(window.sort), values)


def key_of(row: Row[Any]) -> float:
    """Return a node's sort key as a cursor holds it."""
    key = row.key
    if isinstance(key, datetime):
        return float((key - _EPOCH) // timedelta(microseconds=1))
    return float(key)


async def _run(
    connection: AsyncConnection, article_id: UUID, statement: TextualSelect, values: dict[str, Any]
) -> TreeRows | None:
    rows = (await connection.execute(statement, values)).all()
    if not rows:
        return None
    head = rows[0]
    nodes = rows if head.id is not None else []
    return TreeRows(
        article_id=article_id,
        slug=head.slug,
        title=head.title,
        pinned_comment_id=head.pinned_comment_id,
        notice=head.notice,
        version=head.head_version,
        total=head.total,
        counted=head.counted,
        nodes=nodes,
    )


def _to_key(sort: CommentSort, key: float) -> Any:
    if _ORDERS[sort].column == "created_at":
        return _EPOCH + timedelta(microseconds=int(key))
    return int(key) if sort is CommentSort.TOP else key


@cache
def _compose_page(sort: CommentSort, *, is_root: bool, goes_on: bool) -> TextualSelect:
    order = _ORDERS[sort]
    siblings = f"c.under_id = :under_id AND c.article_id = :article_id AND {LISTED_C}"
    if not goes_on:
        first = _select_siblings(order, siblings, level="0")
        counted = "NULL::bigint"
    else:
        first = " UNION ALL ".join(
            f"({_select_siblings(order, f'{siblings} AND {after}', level='0')})"
            for after in _after(order)
        )
        first = f"SELECT * FROM ({first}) s ORDER BY {_by(order, 's', 'key')} LIMIT :limit"
        rest = " UNION ALL ".join(
            # In the index's order, else PostgreSQL assumes that any rows of the table fit.
            f"(SELECT 1 FROM comments c WHERE {siblings} AND {after} "
            f"ORDER BY {_by(order, 'c', order.column)} LIMIT :count_limit)"
            for after in _after(order)
        )
        counted = f"(SELECT least(count(*), :count_limit) FROM ({rest}) r)"
    if is_root:
        head = (
            "SELECT a.version, a.reply_count AS total, a.pinned_comment_id, a.notice "
            "FROM articles a WHERE a.id = :article_id"
        )
    else:
        head = (
            "SELECT a.version, p.reply_count AS total, a.pinned_comment_id, a.notice "
            "FROM comments p JOIN articles a ON a.id = p.article_id "
            f"WHERE p.id = :under_id AND a.id = :article_id AND {LISTED_P}"
        )
    return _compose(order, head=head, counted=counted, first=first, goes_on=goes_on)


@cache
def _compose_context(sort: CommentSort) -> TextualSelect:
    order = _ORDERS[sort]
    head = (
        "SELECT a.version, p.reply_count AS total, a.slug, a.title, p.ancestor_ids, p.depth "
        "FROM comments p JOIN articles a ON a.id = p.article_id "
        f"WHERE p.id = :under_id AND a.id = :article_id AND {LISTED_P}"
    )
    itself = (
        f"SELECT {COLUMNS}, c.{order.column} AS key, 0 AS level "
        "FROM comments c WHERE c.id = :under_id"
    )
    line = (
        f"SELECT {COLUMNS}, c.{order.column} AS key, c.depth - h.depth AS level "
        "FROM head h CROSS JOIN LATERAL unnest("
        "h.ancestor_ids[greatest(1, h.depth - :ancestors + 1):]) AS line(id) "
        "JOIN comments c ON c.id = line.id"
    )
    return _compose(order, head=head, counted="NULL::bigint", first=itself, line=line)


def _compose(
    order: _Order, *, head: str, counted: str, first: str, line: str = "", goes_on: bool = False
) -> TextualSelect:
    children = _select_siblings(
        order,
        f"c.under_id = t.id AND {LISTED_C} AND t.level + 1 < :levels AND t.reply_count > 0",
        level="t.level + 1",
        limit=":children",
    )
    # The inner LIMIT stops the recursion itself: it makes no row that is not asked for.
    found = f"(SELECT * FROM tree LIMIT {MAX_NODES})" + (f" UNION ALL {line}" if line else "")
    # In this order the budget is spent: a comment, its ancestors from the parent up, then what is
    # below, level by level.
    by = f"s.level > 0, abs(s.level), {_by(order, 's', 'key')}"
    # A page is of one article, which its reader knows; a link to a comment may come from anywhere.
    article = (
        "h.slug, h.title, NULL::uuid AS pinned_comment_id, NULL::text AS notice"
        if line
        # The notice is long: the first row has it.
        else "NULL::text AS slug, NULL::text AS title, h.pinned_comment_id, "
        "CASE WHEN n.used > n.size THEN NULL ELSE h.notice END AS notice"
    )
    shown = ", ".join(f"n.{name}" for name in _OF_NODE)
    statement = text(f"""
WITH RECURSIVE head AS ({head} AND {PUBLIC_A}),
first AS ({first}),
tree AS (
  SELECT * FROM first
  UNION ALL
  SELECT child.* FROM tree t CROSS JOIN LATERAL ({children}) child
)
SELECT {shown}, {AUTHOR_COLUMNS},
       h.version AS head_version, h.total, {article}, {counted} AS counted
FROM head h LEFT JOIN (
  SELECT * FROM (
    SELECT s.*, sum(s.size) OVER (ORDER BY {by} ROWS UNBOUNDED PRECEDING) AS used
    FROM ({found}) s
  ) b WHERE b.used <= :max_bytes OR b.used = b.size
) n ON true {JOIN_AUTHOR}
ORDER BY {by.replace("s.", "n.")}
""")
    names = [("article_id", Uuid), ("under_id", Uuid), ("children", Integer), ("levels", Integer)]
    names.append(("max_bytes", Integer))
    if ":limit" in statement.text:
        names.append(("limit", Integer))
    if line:
        names.append(("ancestors", Integer))
    if goes_on:
        names += [("last_id", Uuid), ("count_limit", Integer)]
    typed = [bindparam(name, type_=kind()) for name, kind in names if f":{name}" in statement.text]
    if goes_on:
        typed.append(bindparam("key", type_=_KEY_TYPES.get(order.column, Double())))
    return statement.bindparams(*typed).columns(*_RESULT)


def _select_siblings(order: _Order, where: str, *, level: str, limit: str = ":limit") -> str:
    return (
        f"SELECT {COLUMNS}, c.{order.column} AS key, {level} AS level "
        "FROM comments c "
        f"WHERE {where} ORDER BY {_by(order, 'c', order.column)} LIMIT {limit}"
    )


def _by(order: _Order, table: str, column: str) -> str:
    return f"{table}.{column} {order.direction}, {table}.id {order.tie}"


def _after(order: _Order) -> tuple[str, ...]:
    """Return the predicates of what follows a position, each one range of the order's index.

    Where key and tie run the same way, a row comparison is one range. Where they do not, the rest
    of the ties and what is below them are two: written with OR, PostgreSQL would walk through all
    ties that were already passed, and in a thread without votes those are all comments.
    """
    key = f"c.{order.column}"
    if order.direction == order.tie:
        comparison = "<" if order.direction == "DESC" else ">"
        return (f"({key}, c.id) {comparison} (:key, :last_id)",)
    return (f"{key} = :key AND c.id > :last_id", f"{key} < :key")
