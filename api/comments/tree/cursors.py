"""Where a tree goes on: a cursor that holds the order, the position and the page's limits.

Trees hold a cursor at every node with more replies, so they are packed small: 48 bytes and a tag.
"""

import struct
from dataclasses import dataclass, replace
from uuid import UUID

from api.comments.schemas import CommentSort
from api.kit.http.pagination import InvalidCursor, open_cursor, seal_cursor
from api.kit.signing import Signer

# order (high bit: from the start), limit, children, depth, passed, key, id, under_id
_LAYOUT = struct.Struct(">BBBBId16s16s")
_FROM_START = 0x80
_SORTS = tuple(CommentSort)
_NO_ID = bytes(16)
_MAX_PASSED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """The last sibling that was shown.

    `key` is its sort key as a double: times are microseconds since 1970, below 2**53, so exact.
    """

    key: float
    id: UUID
    # How many siblings stand up to here.
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What part of a tree is asked for: siblings under `under_id` after `after`, and what is below.

    `limit` siblings, `children` replies under each node below them, `depth` levels in all.
    """

    under_id: UUID
    sort: CommentSort
    limit: int
    children: int
    depth: int
    after: Position | None = None

    def go_on(self, under_id: UUID, after: Position | None) -> "Window":
        """Return the window that continues this one somewhere in its tree."""
        return replace(self, under_id=under_id, after=after)


def encode_window(signer: Signer, article_id: UUID, window: Window) -> str:
    """Return the cursor that asks for this window."""
    after = window.after
    payload = _LAYOUT.pack(
        _SORTS.index(window.sort) | (0 if after else _FROM_START),
        window.limit,
        window.children,
        window.depth,
        min(after.passed, _MAX_PASSED) if after else 0,
        after.key if after else 0.0,
        after.id.bytes if after else _NO_ID,
        window.under_id.bytes,
    )
    return seal_cursor(signer, _bound_to(article_id), payload)


def decode_window(signer: Signer, article_id: UUID, cursor: str) -> Window:
    """Return the window of a cursor of this article. Raises InvalidCursor."""
    payload = open_cursor(signer, _bound_to(article_id), cursor)
    if len(payload) != _LAYOUT.size:
        raise InvalidCursor
    order, limit, children, depth, passed, key, last_id, under_id = _LAYOUT.unpack(payload)
    is_from_start = order & _FROM_START
    return Window(
        under_id=UUID(bytes=under_id),
        sort=_SORTS[order & ~_FROM_START],
        limit=limit,
        children=children,
        depth=depth,
        after=None if is_from_start else Position(key, UUID(bytes=last_id), passed),
    )


def _bound_to(article_id: UUID) -> str:
    return f"tree {article_id}"
