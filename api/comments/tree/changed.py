"""Nodes by their ids, for clients that have the tree from before and need what changed in it.

They have a budget of bytes, as a page of the tree has, which is spent in the order of the ids. What
the numbers of a node's ancestors take counts as well, as if no two nodes had any in common.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, any_, bindparam, column, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from api.comments.projection import (
    AUTHOR_COLUMNS,
    AUTHOR_NAMES,
    COLUMNS,
    FIELDS,
    JOIN_AUTHOR,
    MAX_PAGE_BYTES,
    to_comment_fields,
)
from api.comments.visibility import KNOWN_C, LISTED_C, is_listed
from models import Comment

# Bytes that the numbers of one comment take in a response.
COUNTS_BYTES = 160
_COUNTED = ("id", "version", "up", "down", "score", "reply_count", "descendant_count")

_OF_NODE = (*FIELDS, "revision", "ancestor_ids", "is_listed")
_COST = f"s.size + {COUNTS_BYTES} * s.depth"
_FIND_CHANGED = (
    text(f"""
SELECT {", ".join(f"n.{name}" for name in _OF_NODE)}, {AUTHOR_COLUMNS},
       n.used > :max_bytes AS is_cut
FROM (
  SELECT s.*, {_COST} AS cost,
         sum({_COST}) OVER (ORDER BY s.place ROWS UNBOUNDED PRECEDING) AS used
  FROM (
    SELECT {COLUMNS}, c.ancestor_ids, {LISTED_C} AS is_listed, given.place
    FROM unnest(:ids) WITH ORDINALITY AS given(id, place)
    JOIN comments c ON c.id = given.id
    WHERE c.article_id = :article_id AND {KNOWN_C}
  ) s
) n {JOIN_AUTHOR}
WHERE n.used - n.cost <= :max_bytes
ORDER BY n.place
""")
    .bindparams(bindparam("article_id", type_=Uuid()), bindparam("ids", type_=ARRAY(Uuid())))
    .columns(
        *(
            column(name, JSONB() if name == "mentions" else None)
            for name in (*_OF_NODE, *AUTHOR_NAMES, "is_cut")
        )
    )
)


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """Of some comments those that everybody sees, or once did, as far as they fit a response."""

    rows: Sequence[RowMapping]
    # The first one that does not fit.
    cut_at: UUID | None


async def find_changed(
    connection: AsyncConnection, article_id: UUID, ids: Sequence[UUID]
) -> ChangedRows:
    """Return comments of an article in the order of their ids."""
    values = {"article_id": article_id, "ids": list(ids), "max_bytes": MAX_PAGE_BYTES}
    rows = (await connection.execute(_FIND_CHANGED, values)).mappings().all()
    if rows and rows[-1]["is_cut"]:
        return ChangedRows(rows[:-1], cut_at=rows[-1]["id"])
    return ChangedRows(rows, cut_at=None)


async def find_counts(
    connection: AsyncConnection, article_id: UUID, ids: Collection[UUID]
) -> list[dict[str, Any]]:
    """Return the numbers of those of an article's comments that everybody sees."""
    statement = select(*(col(getattr(Comment, name)) for name in _COUNTED)).where(
        col(Comment.id) == any_(literal(list(ids), ARRAY(Uuid()))),
        col(Comment.article_id) == article_id,
        is_listed(),
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


def to_tagged_fields(row: RowMapping, make_etag: Callable[[str, int], str]) -> dict[str, Any]:
    """Return the fields of TaggedComment."""
    return {**to_comment_fields(row), "etag": make_etag(str(row["id"]), row["revision"])}
