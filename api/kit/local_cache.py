"""The answers that a process keeps in its own memory, bounded in bytes, oldest use out first."""

import time
from collections import OrderedDict
from collections.abc import Hashable

from api.kit.encoding import Coding, compress, decompress

# What an entry costs beyond its bodies: the objects around them, measured with tracemalloc.
_OVERHEAD = 800


class Entry:
    """One answer in the codings that were asked for, good for one version of its subject."""

    __slots__ = ("_bodies", "expires_at", "version")

    def __init__(self, version: int, body: bytes, coding: Coding, *, lifetime: float) -> None:
        """Keep `body`, which is in `coding`, for `lifetime` seconds."""
        self.version = version
        self.expires_at = time.monotonic() + lifetime
        self._bodies: dict[Coding, bytes] = {coding: body}

    @property
    def size(self) -> int:
        """Return the bytes that the entry holds."""
        return _OVERHEAD + sum(map(len, self._bodies.values()))

    def peek(self, coding: Coding) -> bytes | None:
        """Return the body in a coding if it has been made."""
        return self._bodies.get(coding)

    def make(self, coding: Coding) -> bytes:
        """Return the body in a coding, making it the first time; gzip takes milliseconds."""
        body = self._bodies.get(coding)
        if body is None:
            plain = self._bodies.get("identity")
            if plain is None:
                plain = decompress(self._bodies["zstd"])
            body = self._bodies[coding] = compress(plain, coding)
        return body


class LocalCache:
    """A least-recently-used map from keys to entries that never holds more than its bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Entry, int]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes_held(self) -> int:
        """Return the bytes that all entries hold."""
        return self._bytes

    def get(self, key: Hashable) -> Entry | None:
        """Return the entry unless it is too old."""
        found = self._entries.get(key)
        if found is None:
            return None
        if found[0].expires_at <= time.monotonic():
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, entry: Entry) -> None:
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

    def drop(self, key: Hashable) -> None:
        """Forget an entry."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found[1]
