"""A page between the database, Redis and the response: its body in the encodings asked for."""

from dataclasses import dataclass, replace

import orjson

from api.kit.http.content_encoding import ContentEncoding, compress, decompress


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A body as read from the database: the version and the rows are of one snapshot.

    `version` is None where none is known: then the page is not cached. A page with an `etag` of its
    own is a single resource; the others are distinguished by their version.
    """

    version: int | None
    body: bytes
    etag: str = ""
    next_cursor: str | None = None


class CacheEntry:
    """One page, compressed, and in the content encodings that were asked for."""

    __slots__ = ("_bodies", "etag", "next_cursor", "version")

    def __init__(self, page: RenderedPage) -> None:
        """Hold a page, whose body is a zstd frame."""
        self.version = page.version
        self.etag = page.etag
        self.next_cursor = page.next_cursor
        self._bodies: dict[ContentEncoding, bytes] = {"zstd": page.body}

    @classmethod
    def from_page(cls, page: RenderedPage) -> "CacheEntry":
        """Return the entry of a page whose body is not compressed."""
        return cls(replace(page, body=compress(page.body, "zstd")))

    @classmethod
    def load(cls, version: int, stored: bytes) -> "CacheEntry":
        """Return the entry that `dump` gave. Raises ValueError or ZstdError when damaged."""
        head, _, frame = stored.partition(b"\n")
        etag, next_cursor = orjson.loads(head)
        decompress(frame)
        return cls(RenderedPage(version, frame, etag, next_cursor))

    def dump(self) -> bytes:
        """Return all but the version as bytes: one line of JSON, then a zstd frame."""
        return orjson.dumps([self.etag, self.next_cursor]) + b"\n" + self._bodies["zstd"]

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
