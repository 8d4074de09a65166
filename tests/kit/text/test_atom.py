"""Atom feeds: whatever people write, a reader of feeds gets it, and nothing breaks the document."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import feedparser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.kit.text.atom import Author, Entry, Feed, write_feed

BEGAN = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
# Lone surrogates, controls and noncharacters too.
hostile = st.text(st.characters(exclude_categories=()), max_size=60)


def make_feed(text: str, *, entries: int = 1) -> Feed:
    entry = Entry(
        id="urn:uuid:0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60",
        title=text,
        link="https://example.com/?a=1&b=<2>",
        author=Author(text, "https://example.com/lee"),
        published=BEGAN,
        updated=BEGAN + timedelta(days=1, microseconds=5),
        html=text,
    )
    return Feed(
        id="urn:uuid:0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b61",
        title=text,
        address="https://example.com/feed.atom",
        link="https://example.com/",
        began=BEGAN,
        entries=[entry] * entries,
    )


def is_allowed(character: str) -> bool:
    return (
        character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


@settings(max_examples=200)
@given(text=hostile)
@example(text="\x00\x08\x0b\x1f\ud800\udfff\ufffe\uffff")
@example(text="]]></content><script>&amp;&#0;<!--")
def test_hostile_text_breaks_no_feed(text: str) -> None:
    root = ET.fromstring(write_feed(make_feed(text)))  # noqa: S314 - our own document
    # A parser of XML reads every line end as \n.
    expected = "".join(filter(is_allowed, text)).replace("\r\n", "\n").replace("\r", "\n")
    for path in ("title", f"entry/{ATOM}title", f"entry/{ATOM}author/{ATOM}name"):
        assert (root.findtext(f"{ATOM}{path}") or "") == expected
    assert (root.findtext(f"{ATOM}entry/{ATOM}content") or "") == expected
    assert {node.tag.removeprefix(ATOM) for node in root.iter()} <= {
        *("feed", "id", "title", "updated", "link"),
        *("entry", "author", "name", "uri", "published", "content"),
    }


def test_a_reader_of_feeds_understands_all_of_it() -> None:
    parsed = feedparser.parse(write_feed(make_feed("<p>Tom &amp; <em>Lee</em></p>")))
    assert not parsed.bozo
    assert parsed.version == "atom10"
    [entry] = parsed.entries
    assert entry.title == "<p>Tom &amp; <em>Lee</em></p>"
    assert entry.content[0].value == "<p>Tom &amp; <em>Lee</em></p>"
    assert entry.content[0].type == "text/html"
    assert entry.link == "https://example.com/?a=1&b=<2>"
    assert (entry.published, entry.updated) == (
        "2026-04-01T12:30:00Z",
        "2026-04-02T12:30:00.000005Z",
    )
    assert parsed.feed.updated == entry.updated
    links = {link.rel: link.href for link in parsed.feed.links}
    assert links == {
        "self": "https://example.com/feed.atom",
        "alternate": "https://example.com/",
    }


def test_a_feed_without_entries_is_as_old_as_its_subject() -> None:
    parsed = feedparser.parse(write_feed(make_feed("Empty", entries=0)))
    assert not parsed.bozo
    assert (parsed.feed.updated, parsed.entries) == ("2026-04-01T12:30:00Z", [])
