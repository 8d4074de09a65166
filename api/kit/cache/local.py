"""The answers that a process keeps in its own memory, bounded in bytes, oldest use out first."""

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
    """An answer as read from the database: the version and the rows are of one snapshot.

    Without an `etag` of its own, the version is what tells it from another.
    """

    version: int
    body: bytes
    etag: str = ""
    next_cursor: str | None = None


class CacheEntry:
    """One answer, compressed and in the codings that were asked for, good for one version."""

    __slots__ = ("_bodies", "etag", "expires_at", "next_cursor", "version")

    def __init__(self, built: RenderedPage, *, lifetime: float) -> None:
        """Keep an answer, whose body is a zstd frame, for `lifetime` seconds."""
        self.version = built.version
        self.etag = built.etag
        self.next_cursor = built.next_cursor
        self.expires_at = time.monotonic() + lifetime
        self._bodies: dict[ContentEncoding, bytes] = {"zstd": built.body}

    @classmethod
    def from_page(cls, built: RenderedPage, *, lifetime: float) -> "CacheEntry":
        """Return the entry of an answer as it was built."""
        return cls(replace(built, body=compress(built.body, "zstd")), lifetime=lifetime)

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

    def find_body(self, coding: ContentEncoding) -> bytes | None:
        """Return the body in a coding if it has been made."""
        return self._bodies.get(coding)

    def make_body(self, coding: ContentEncoding) -> bytes:
        """Return the body in a coding, making it the first time; gzip takes milliseconds."""
        body = self._bodies.get(coding)
        if body is None:
            body = self._bodies[coding] = compress(decompress(self._bodies["zstd"]), coding)
        return body


class Keepable(Protocol):
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
Value = TypeVar("Value", bound=Keepable)


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
        """Keep an entry, or count anew one that has grown by a coding."""
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
