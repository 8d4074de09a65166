"""What a process caches in its own memory: bounded in bytes, least recently used out first."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import orjson

from api.kit.http.content_encoding import ContentEncoding, compress, decompress

# Bytes that an entry costs beyond its bodies, with its key and cursor; measured by tracemalloc.
_OVERHEAD = 700


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A body as read from the database: the version and the rows are of one snapshot.

    `version` is None where none is known: then the page is not cached. A page with an `etag` of its
    own is a single resource; the others are told apart by their version.
    """

    version: int | None
    body: bytes
    etag: str = ""
    next_cursor: str | None = None


class CacheEntry:
    """One page, compressed, and in the content encodings that were asked for."""

    __slots__ = ("_bodies", "etag", "expires_at", "next_cursor", "version")

    def __init__(self, page: RenderedPage, *, lifetime: float) -> None:
        """Hold a page, whose body is a zstd frame, for `lifetime` seconds."""
        self.version = page.version
        self.etag = page.etag
        self.next_cursor = page.next_cursor
        self.expires_at = time.monotonic() + lifetime
        self._bodies: dict[ContentEncoding, bytes] = {"zstd": page.body}

    @classmethod
    def from_page(cls, page: RenderedPage, *, lifetime: float) -> "CacheEntry":
        """Return the entry of a page whose body is not compressed."""
        return cls(replace(page, body=compress(page.body, "zstd")), lifetime=lifetime)

    @classmethod
    def load(cls, version: int, stored: bytes, *, lifetime: float) -> "CacheEntry":
        """Return the entry that `dump` gave. Raises ValueError or ZstdError when damaged."""
        head, _, frame = stored.partition(b"\n")
        etag, next_cursor = orjson.loads(head)
        decompress(frame)
        return cls(RenderedPage(version, frame, etag, next_cursor), lifetime=lifetime)

    def dump(self) -> bytes:
        """Return all but the version as bytes: one line of JSON, then a zstd frame."""
        return orjson.dumps([self.etag, self.next_cursor]) + b"\n" + self._bodies["zstd"]

    @property
    def size(self) -> int:
        """Return the bytes that the entry holds."""
        return _OVERHEAD + sum(map(len, self._bodies.values()))

    def is_at_least(self, version: int | None) -> bool:
        """Tell whether the page has this version or a newer one; False where one is unknown."""
        return version is not None and self.version is not None and self.version >= version

    def find_body(self, encoding: ContentEncoding) -> bytes | None:
        """Return the body in a content encoding if it has been made."""
        return self._bodies.get(encoding)

    def make_body(self, encoding: ContentEncoding) -> bytes:
        """Return the body in a content encoding, making it the first time.

        gzip takes milliseconds.
        """
        body = self._bodies.get(encoding)
        if body is None:
            body = self._bodies[encoding] = compress(decompress(self._bodies["zstd"]), encoding)
        return body


class Cacheable(Protocol):
    """What a local cache can hold."""

    @property
    def size(self) -> int:
        """Return the bytes that it holds."""
        ...

    @property
    def expires_at(self) -> float:
        """Return when it is too old, by the monotonic clock, in seconds."""
        ...


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Cacheable)


class LocalCache(Generic[Key, Value]):
    """A least-recently-used map that never holds more than its bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes_held(self) -> int:
        """Return the bytes that all entries hold."""
        return self._bytes

    def get(self, key: Key) -> Value | None:
        """Return the entry unless it is too old."""
        found = self._entries.get(key)
        if found is None:
            return None
        if found[0].expires_at <= time.monotonic():
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: Key, entry: Value) -> None:
        """Add an entry, or count the bytes again of one that has got another body."""
        self.drop(key)
        size = entry.size
        if size > self._max_bytes // 4:
            return
        self._entries[key] = (entry, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= dropped

    def drop(self, key: Key) -> None:
        """Forget an entry."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found[1]
