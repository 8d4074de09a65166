"""A page on its way through Redis."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from api.kit.cache.pages import CacheEntry, RenderedPage
from api.kit.http.content_encoding import decompress

ETAGS = st.text(max_size=20)


@given(st.binary(max_size=2000), ETAGS, st.none() | st.text(max_size=20))
def test_an_entry_comes_back_from_redis_as_it_went(body: bytes, etag: str, cursor: str) -> None:
    kept = CacheEntry.from_page(RenderedPage(7, body, etag, cursor))
    found = CacheEntry.load(7, kept.dump())
    for entry in (kept, found):
        assert (entry.version, entry.etag, entry.next_cursor) == (7, etag, cursor)
        assert entry.make_body("identity") == body
        assert gzip.decompress(entry.make_body("gzip")) == body
        assert decompress(entry.make_body("zstd")) == body
