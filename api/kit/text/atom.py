"""Atom feeds (RFC 4287), written by the standard library's XML writer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

MEDIA_TYPE: Final = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
# What a document of XML 1.0 cannot have, in whatever notation (its production 2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an entry, and where more is said of them."""

    name: str
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry; `id` is a URI that never changes, `link` is where it can be read."""

    id: str
    title: str
    link: str
    author: Author
    published: datetime
    updated: datetime
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed; `id` is a URI that never changes, `link` is where its subject can be read."""

    id: str
    title: str
    # The address of the feed itself.
    address: str
    link: str
    # When it began, for a feed without entries.
    began: datetime
    entries: Sequence[Entry]


def write_feed(feed: Feed) -> bytes:
    """Return the feed as XML in UTF-8. Characters that XML does not allow are left out."""
    root = ET.Element("feed", {"xmlns": _NAMESPACE})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _to_text(max([one.updated for one in feed.entries], default=feed.began)))
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=feed.address)
    _add(root, "link", rel="alternate", href=feed.link)
    for entry in feed.entries:
        node = _add(root, "entry")
        _add(node, "id", entry.id)
        _add(node, "title", entry.title)
        _add(node, "link", rel="alternate", href=entry.link)
        author = _add(node, "author")
        _add(author, "name", entry.author.name)
        if entry.author.uri is not None:
            _add(author, "uri", entry.author.uri)
        _add(node, "published", _to_text(entry.published))
        _add(node, "updated", _to_text(entry.updated))
        _add(node, "content", entry.html, type="html")
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    node = ET.SubElement(
        parent, tag, {name: _FORBIDDEN.sub("", value) for name, value in attributes.items()}
    )
    node.text = _FORBIDDEN.sub("", text) or None
    return node


def _to_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
