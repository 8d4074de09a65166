"""Markdown to clean HTML, and where in the source a mention may stand.

Raw HTML and images are not markup here. What is rendered is cleaned against a list of tags and
attributes all the same, so that a fault in the parser is not a hole in the page.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from uuid import UUID

import nh3
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from typing_extensions import override

from api.kit.text.traced_markdown import (
    LINK,
    TEXT,
    MarkupTooLargeError,
    Piece,
    TracedBlocks,
    TracedInline,
    make_parser,
)

# Code points. No request body is longer (64 KiB).
MAX_SOURCE = 65_536
# Bytes. 20,000 code points of plain text fit whatever they are, escaped too.
MAX_HTML = 131_072

_NEWLINE = re.compile(r"\r\n?")
# What no HTML parser and no UTF-8 encoder takes.
_UNENCODABLE = re.compile(r"[\x00\ud800-\udfff]")
_ANY = re.compile(r".*", re.DOTALL)

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "blockquote", "pre", "li", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr"),
}
# Tag -> attribute -> what its value must be.
_ATTRIBUTES = {
    "a": {"href": LINK, "title": _ANY},
    "code": {"class": re.compile(r"language-[A-Za-z0-9_+#.-]{1,32}")},
    "ol": {"start": re.compile(r"[0-9]{1,9}")},
    "span": {"class": re.compile(r"mention"), "data-user-id": re.compile(r"[0-9a-f-]{36}")},
    "td": {"align": re.compile(r"left|center|right")},
    "th": {"align": re.compile(r"left|center|right")},
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the source, half-open, in code points, that the reader sees as it was written.

    `opens` is true where nothing that is seen stands before it in its paragraph, heading or cell.
    """

    start: int
    end: int
    opens: bool = False


@dataclass(frozen=True, slots=True)
class MentionMark:
    """A part of the source that mentions a person; half-open, in code points, inside one span."""

    start: int
    end: int
    user_id: UUID


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text.

    Offsets refer to `source`, so that is what to store: the given text with every newline a line
    feed, and U+FFFD for each NUL and lone surrogate. `spans` is where a mention may stand: text
    outside code, links and block quotes; in order, disjoint, none empty or over a line's end.
    """

    source: str
    spans: tuple[Span, ...]
    _tokens: tuple[Token, ...] = field(repr=False, compare=False)

    def list_links(self) -> list[str]:
        """Return the addresses that the text links to, in its order, as often as it does."""
        return [
            str(part.attrs["href"])
            for token in self._tokens
            for part in token.children or ()
            if part.type == "link_open"
        ]

    def render(self, mentions: Sequence[MentionMark] = ()) -> str:
        """Make the HTML, with each mention's text in `<span class="mention" data-user-id=...>`.

        Raises MarkupTooLargeError above MAX_HTML bytes, and ValueError when a mention overlaps
        another or is not inside one span.
        """
        env = {"marks": self._group(mentions)}
        html = _CLEANER.clean(_MARKDOWN.renderer.render(self._tokens, _MARKDOWN.options, env))
        if len(html.encode()) > MAX_HTML:
            raise MarkupTooLargeError("The text makes too much HTML: shorten it.")
        return html

    def _group(self, mentions: Sequence[MentionMark]) -> dict[int, list[MentionMark]]:
        """Sort the mentions, by the start of their span. A span is one text token."""
        groups: dict[int, list[MentionMark]] = {}
        end = 0
        for mark in sorted(mentions, key=attrgetter("start")):
            i = bisect_right(self.spans, mark.start, key=attrgetter("start")) - 1
            if i < 0 or not end <= mark.start < mark.end <= self.spans[i].end:
                raise ValueError(f"{mark} overlaps another or is not inside one span.")
            groups.setdefault(self.spans[i].start, []).append(mark)
            end = mark.end
        return groups


def parse(source: str) -> Document:
    """Parse Markdown. Raises MarkupTooLargeError; any other text is some document."""
    if len(source) > MAX_SOURCE:
        raise MarkupTooLargeError(f"The text is longer than {MAX_SOURCE} characters: shorten it.")
    source = _UNENCODABLE.sub("\ufffd", _NEWLINE.sub("\n", source))
    env: EnvType = {"steps": 0}
    tokens: list[Token] = []
    blocks = TracedBlocks(source, _MARKDOWN, env, tokens)
    _MARKDOWN.block.tokenize(blocks, 0, blocks.lineMax)
    _weigh(tokens)

    spans: list[Span] = []
    quotes = 0
    for token in tokens:
        if token.type == "inline":
            state = TracedInline(token.content, _MARKDOWN, env, [])
            _MARKDOWN.inline.tokenize(state)
            for rule in _MARKDOWN.inline.ruler2.getRules(""):
                rule(state)
            pieces = token.meta["pieces"]
            token.children, found = _place(state.tokens, pieces, source=source, quoted=quotes > 0)
            spans += found
        elif token.tag == "blockquote":
            quotes += token.nesting
        elif token.tag in {"td", "th"} and "style" in token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}
    _weigh(tokens)
    return Document(source, tuple(spans), tuple(tokens))


def _place(
    children: list[Token], pieces: list[Piece], *, source: str, quoted: bool
) -> tuple[list[Token], list[Span]]:
    """Join the text tokens of one block and find its spans: one for each token that has an offset.

    A marker that opened or closed nothing, as in `@J*R`, is a text token of its own until here.
    """
    placed: list[Token] = []
    links = 0
    for token in _unlink(children):
        if token.type not in TEXT:
            links += token.nesting if token.tag == "a" else 0
            placed.append(token)
        elif quoted or links or (token.type == "text_special" and token.content != token.markup):
            token.type = "text"
            placed.append(token)
        elif token.content:
            first = token.meta["at"]
            for start, end in _cut(first, first + len(token.content), pieces):
                if placed and placed[-1].meta.get("end") == start:
                    placed[-1].meta["end"] = end
                else:
                    placed.append(Token("text", "", 0, meta={"start": start, "end": end}))

    spans: list[Span] = []
    opens = True
    for token in placed:
        if "end" in token.meta:
            span = Span(token.meta["start"], token.meta["end"], opens)
            token.content = source[span.start : span.end]
            spans.append(span)
        opens = opens and token.nesting != 0
    return placed, spans


def _unlink(children: list[Token]) -> Iterator[Token]:
    """Leave out the links that lead nowhere, as in `[a]()`: what they hold is plain text."""
    leads = True
    for token in children:
        if token.type == "link_open":
            leads = bool(token.attrs["href"])
        if token.tag != "a" or leads:
            yield token


def _cut(at: int, end: int, pieces: list[Piece]) -> Iterator[tuple[int, int]]:
    """Yield where a stretch of a block's text stands in the source: in one part for each piece."""
    i = bisect_right(pieces, at, key=itemgetter(0)) - 1
    while at < end:
        begin, offset = pieces[i]
        i += 1
        stop = min(pieces[i][0], end) if i < len(pieces) else end
        yield offset + at - begin, offset + stop - begin
        at = stop


def _weigh(tokens: list[Token]) -> None:
    """Refuse what can't fit before time goes into rendering it: the sum is a lower bound."""
    size = 0
    for token in tokens:
        for part in token.children or () if token.type == "inline" else (token,):
            size += len(part.content) + sum(len(str(value)) for value in part.attrs.values())
            if part.nesting and not part.hidden:
                size += len(part.tag) + len("<>" if part.nesting > 0 else "</>")
    if size > MAX_HTML:
        raise MarkupTooLargeError("The text makes too much HTML: shorten it.")


class _Renderer(RendererHTML):
    @override
    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        start = at = token.meta.get("start", 0)
        html = ""
        for mark in env["marks"].get(start, ()) if "start" in token.meta else ():
            html += escapeHtml(token.content[at - start : mark.start - start])
            html += f'<span class="mention" data-user-id="{mark.user_id}">'
            html += escapeHtml(token.content[mark.start - start : mark.end - start]) + "</span>"
            at = mark.end
        return html + escapeHtml(token.content[at - start :])


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "rel":
        return value  # the cleaner's own: it is in no list above
    pattern = _ATTRIBUTES.get(tag, {}).get(name)
    return value if pattern and pattern.fullmatch(value) else None


_MARKDOWN = make_parser(_Renderer)
_CLEANER = nh3.Cleaner(
    tags={*_TAGS, *_ATTRIBUTES},
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_keep_attribute,
    link_rel="nofollow ugc noopener",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
