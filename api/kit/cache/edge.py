"""The edge: sends a response of the app again while its version is the newest.

A thin ASGI layer in front of everything else. It knows nothing of routes, content encodings or
CORS: it stores whole responses, headers included, as the app gave them to a request that differs in
nothing that a response may depend on. What may be stored is decided in one place,
`make_cached_response`: public responses, the same for everybody, that carry the version of their
subject. Each use is checked against the pointer in Redis first; checks that wait share one MGET.

A hit is counted in the metrics like any other response, but writes no line to the log and takes no
part in the histogram of durations.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.cache.local import LocalCache
from api.kit.cache.versioned import VersionedCache
from api.kit.http.conditional import matches_etag
from api.kit.http.content_encoding import ContentEncoding, choose_content_encoding
from api.kit.http.envelope import choose_request_id
from api.kit.metrics import REQUESTS

# The key of the ASGI scope under which `make_cached_response` says what a response is made of.
CACHE_TAG = "palaver.cache_tag"

# Seconds. After that a response is made again, whatever the versions say.
LIFETIME = 30
# Bytes that a response costs beyond its body: its key and headers; measured by tracemalloc.
_OVERHEAD = 2_500

_OK = 200
_NOT_MODIFIED = 304

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class CacheTag:
    """What a response is made of: a subject at a version, in an epoch of the database."""

    epoch: str
    subject: UUID
    version: int


# All of a request that a public response may depend on: path, query, content encoding, origin; and
# whether it may be 304. A bare tuple: it is made for every request.
_Request = tuple[bytes, bytes, ContentEncoding, bytes, bool]


class _CachedResponse:
    """A response of the app, ready to be sent again."""

    __slots__ = ("body", "etag", "expires_at", "headers", "operation", "status", "tag")

    def __init__(self, tag: CacheTag, start: Message, body: bytes, operation: str) -> None:
        self.tag = tag
        self.status: int = start["status"]
        self.headers: Headers = [
            (bytes(name), bytes(value))
            for name, value in start["headers"]
            if name.lower() != b"x-request-id"
        ]
        self.etag = next((value for name, value in self.headers if name.lower() == b"etag"), b"")
        self.body = body
        self.expires_at = time.monotonic() + LIFETIME
        self.operation = operation

    @property
    def size(self) -> int:
        return _OVERHEAD + len(self.body)


class Edge:
    """ASGI middleware, the outermost: see the module."""

    def __init__(self, app: ASGIApp, *, cache: VersionedCache, max_bytes: int) -> None:
        self._app = app
        self._cache = cache
        self._responses = LocalCache[_Request, _CachedResponse](max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond from memory, or hand on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request, if_none_match, request_id = _read_request(scope)
        cached = self._responses.get(request)
        if cached is not None:
            tag = cached.tag
            is_newest = await self._cache.is_newest(tag.epoch, tag.subject, tag.version)
            if is_newest and _fits(cached, if_none_match):
                await send(
                    {
                        "type": "http.response.start",
                        "status": cached.status,
                        "headers": [
                            *cached.headers,
                            (b"x-request-id", choose_request_id(request_id)),
                        ],
                    }
                )
                await send({"type": "http.response.body", "body": cached.body})
                REQUESTS.count(cached.operation, cached.status)
                return
        await self._app(scope, receive, self._store_response(request, scope, send))

    def _store_response(self, request: _Request, scope: Scope, send: Send) -> Send:
        start: Message | None = None

        async def send_and_store(message: Message) -> None:
            nonlocal start
            await send(message)
            if message["type"] == "http.response.start":
                start = message
            elif start is not None and not message.get("more_body", False):
                expected = _NOT_MODIFIED if request[-1] else _OK
                tag = scope.get(CACHE_TAG)
                if tag is not None and start["status"] == expected:
                    operation = getattr(scope.get("route"), "name", "none")
                    cached = _CachedResponse(tag, start, message.get("body", b""), operation)
                    self._responses.put(request, cached)

        return send_and_store


def _fits(cached: _CachedResponse, if_none_match: bytes) -> bool:
    """Tell whether the app would respond so; cached for conditional requests is only the 304."""
    return (
        not if_none_match
        or if_none_match == cached.etag
        or matches_etag(str(if_none_match, "latin-1"), str(cached.etag, "latin-1"))
    )


def _read_request(scope: Scope) -> tuple[_Request, bytes, bytes]:
    """Return what a response may depend on, the tags that the client has, and its request id."""
    # Of a header that comes twice the app reads the first.
    headers = dict(reversed(scope["headers"]))
    if_none_match = headers.get(b"if-none-match", b"")
    request = (
        scope["raw_path"],
        scope["query_string"],
        _choose_content_encoding(headers.get(b"accept-encoding", b"")),
        headers.get(b"origin", b""),
        if_none_match != b"",
    )
    return request, if_none_match, headers.get(b"x-request-id", b"")


@lru_cache(maxsize=256)
def _choose_content_encoding(accepted: bytes) -> ContentEncoding:
    """Choose as the app does, once for each kind of client."""
    return choose_content_encoding(str(accepted, "latin-1"))
