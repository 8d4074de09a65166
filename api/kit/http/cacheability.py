"""Which responses may be stored, and what a response that may be stored gets.

No cache stores a response, unless its route declares it: `@public_response` for what is the same
for everybody, `@private_response` for what one person's own client may keep. Both have to be
revalidated before each use. Such a response gets an entity tag, where it has none; it is 304 when
the client has it already, and compressed when that pays.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from fastapi import Request, Response

from api.kit.http.conditional import encode_etag, make_content_etag, matches_etag
from api.kit.http.content_encoding import choose_content_encoding, compress
from api.kit.problems import Called

NO_STORE: Final = "no-store"
# Bytes from which compressing a body pays, and from which it is done in a thread (gzip: 0.5 ms).
COMPRESS_FROM = 1024
_THREAD_FROM = 16 * 1024

_OK = 200


def public_response(endpoint: Called) -> Called:
    """Let every cache store the response of a GET, which is the same for everybody."""
    endpoint.cache_control = "public, no-cache"  # type: ignore[attr-defined]  # read by Route
    return endpoint


def private_response(endpoint: Called) -> Called:
    """Let only the client's own cache store the response of a GET."""
    endpoint.cache_control = "private, no-cache"  # type: ignore[attr-defined]  # read by Route
    return endpoint


def keep_private(response: Response) -> Response:
    """Let no cache store a response of a public route that is for one person alone."""
    response.headers["Cache-Control"] = NO_STORE
    return response


def find_cache_control(endpoint: Callable[..., Any]) -> str | None:
    """Return what the route of an endpoint declares."""
    return getattr(endpoint, "cache_control", None)


async def make_storable(
    request: Request, response: Response, *, cache_control: str, varies_by_credentials: bool
) -> Response:
    """Return the response of a route that declares `cache_control`, with all that belongs to it.

    One that varies by Accept-Encoding already is complete except for the cache headers; one
    of `keep_private` is complete.
    """
    if response.headers.get("cache-control") == NO_STORE:
        return response
    if response.status_code == _OK and "vary" not in response.headers:
        response = await _negotiate(request, response)
    response.headers["Cache-Control"] = cache_control
    if varies_by_credentials:
        response.headers.add_vary_header("Authorization")
    return response


async def _negotiate(request: Request, response: Response) -> Response:
    body = bytes(response.body)
    etag = response.headers.get("etag") or f"W/{make_content_etag(body)}"
    encoding = choose_content_encoding(request.headers.get("accept-encoding", ""))
    if len(body) < COMPRESS_FROM:
        encoding = "identity"
    response.headers["ETag"] = encode_etag(etag, encoding)
    response.headers["Vary"] = "Accept-Encoding"
    if matches_etag(request.headers.get("if-none-match"), etag):
        return make_not_modified(response)
    if encoding == "identity":
        return response
    if len(body) < _THREAD_FROM:
        response.body = compress(body, encoding)
    else:
        response.body = await asyncio.to_thread(compress, body, encoding)
    response.headers["Content-Encoding"] = encoding
    response.headers["Content-Length"] = str(len(response.body))
    return response


def make_not_modified(response: Response) -> Response:
    """Return the 304 for a response: its headers except those that describe the body."""
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-length", "content-type", "content-encoding")
    }
    return Response(status_code=304, headers=headers)
