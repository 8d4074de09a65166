"""Lists: pages by keyset, with cursors that only this service can make.

A cursor is the position after the last item of a page: `base64url(tag || json)`, where the tag is
an HMAC over the position and over what the cursor is bound to (the list and its filters). It is
never an offset: rows that come or go before it move nothing.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

import orjson
from fastapi import Query, Request, Response
from pydantic import Field

from api.kit.http.schemas import Output
from api.kit.problems import Problem
from api.kit.signing import Signer

TAG_SIZE = 16
MAX_CURSOR_LENGTH = 512
MAX_LIMIT = 100

Item = TypeVar("Item")

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description="The largest number of items on a page.")
]
CursorParam = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR_LENGTH,
        description="`page.next_cursor` of the previous page. Send the same filters with it.",
    ),
]


class InvalidCursor(Problem):
    """The cursor is damaged, or was made for another list."""

    status = 400
    code = "invalid_cursor"
    title = "Invalid cursor"
    detail = "Send a next_cursor unchanged, with the parameters of the request that returned it."


class PageInfo(Output):
    """How to get the next page."""

    next_cursor: str | None = Field(description="Null on the last page.", examples=["cB3fA9..."])
    has_more: bool


class Page(Output, Generic[Item]):
    """One page of a list. Each list has a subclass, which the document shows."""

    data: list[Item]
    page: PageInfo


@dataclass(frozen=True, slots=True)
class Slice(Generic[Item]):
    """Rows of a list in its order, and whether others follow."""

    data: Sequence[Item]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Keyset:
    """A list whose pages go on after a key and an id: how its cursors are made and read.

    `name` is the list with its filters; a cursor of another list does not fit.
    """

    signer: Signer
    name: str
    # From JSON to the key's type.
    parse_key: Callable[[Any], Any] = datetime.fromisoformat

    def parse(self, cursor: str | None) -> tuple[Any, UUID] | None:
        """Return the position of a cursor, None for the first page. Raises InvalidCursor."""
        if cursor is None:
            return None
        key, item_id = decode_cursor(self.signer, self.name, cursor)
        return self.parse_key(key), UUID(item_id)

    def make_page(self, rows: Slice[Any], position: Callable[[Any], tuple[Any, UUID]]) -> PageInfo:
        """Return where a list goes on; `position` is the key and the id of a row."""
        next_cursor = None
        if rows.has_more:
            next_cursor = encode_cursor(self.signer, self.name, list(position(rows.data[-1])))
        return PageInfo(next_cursor=next_cursor, has_more=rows.has_more)


def slice_rows(rows: Sequence[Item], limit: int) -> Slice[Item]:
    """Return at most `limit` of rows of which one more was asked for."""
    return Slice(rows[:limit], has_more=len(rows) > limit)


def encode_cursor(signer: Signer, bound_to: str, position: list[Any]) -> str:
    """Return the cursor of a position, good only for the same `bound_to`."""
    # asyncpg's UUID is a subclass, which orjson leaves to its caller.
    return seal_cursor(signer, bound_to, orjson.dumps(position, default=str))


def decode_cursor(signer: Signer, bound_to: str, cursor: str) -> list[Any]:
    """Return the position. Raises InvalidCursor when the cursor was not made for `bound_to`."""
    position: list[Any] = orjson.loads(open_cursor(signer, bound_to, cursor))
    return position


def seal_cursor(signer: Signer, bound_to: str, payload: bytes) -> str:
    """Return `payload` as a cursor, good only for the same `bound_to`."""
    return _to_base64(_tag(signer, bound_to, payload) + payload)


def open_cursor(signer: Signer, bound_to: str, cursor: str) -> bytes:
    """Return the payload. Raises InvalidCursor when the cursor was not made for `bound_to`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor from error
    payload = raw[TAG_SIZE:]
    genuine = hmac.compare_digest(raw[:TAG_SIZE], _tag(signer, bound_to, payload))
    # One text for one cursor: base64 ignores the last bits, and a signature must not.
    if not genuine or cursor != _to_base64(raw):
        raise InvalidCursor
    return payload


def link_next(request: Request, response: Response, next_cursor: str | None) -> None:
    """Add the `Link` header (RFC 8288) that leads to the next page."""
    if next_cursor is not None:
        query = request.url.include_query_params(cursor=next_cursor).query
        # The scope has the path decoded, and a header holds no other characters than these.
        response.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'


def _tag(signer: Signer, bound_to: str, payload: bytes) -> bytes:
    return signer.sign("cursor", bound_to.encode() + b"\0" + payload)[:TAG_SIZE]


def _to_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
