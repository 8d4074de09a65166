"""Markdown to clean HTML, and where in the source a mention may stand.

markdown-it parses; added here are bounds on its work, and the offset in the source of all text that
the reader sees as it was written. markdown-it itself knows only lines. Raw HTML and images are not
markup here. What is rendered is cleaned against a list of tags and attributes all the same, so that
a fault in the parser is not a hole in the page.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Literal
from uuid import UUID

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, mdTrim
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from typing_extensions import override

# Code points. No request body is longer (64 KiB).
MAX_SOURCE = 65_536
# Bytes. 20,000 code points of plain text fit whatever they are, escaped too.
MAX_HTML = 131_072
# Code points. A longer address stays text: rewriting a host name takes time in its square.
MAX_URL = 2_048
# Levels. A quote takes one, a list two.
MAX_NESTING = 32
# Block rules tried, tokens made, and tokens looked at while searching the end of a link's label.
MAX_STEPS = 75_000

_NEWLINE = re.compile(r"\r\n?")
# What no HTML parser and no UTF-8 encoder takes.
_UNENCODABLE = re.compile(r"[\x00\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_BARE_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)
# A pipe that parts two cells, by the rule of markdown-it's own table.
_PIPE = re.compile(r"(?<!\\)\|")
_ANY = re.compile(r".*", re.DOTALL)
_TEXT = {"text", "text_special"}

# A part of a block's text: where it begins there, and in the source. It ends where the next begins.
_Piece = tuple[int, int]

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "blockquote", "pre", "li", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr"),
}
# Tag -> attribute -> what its value must be.
_ATTRIBUTES = {
    "a": {"href": _LINK, "title": _ANY},
    "code": {"class": re.compile(r"language-[A-Za-z0-9_+#.-]{1,32}")},
    "ol": {"start": re.compile(r"[0-9]{1,9}")},
    "span": {"class": re.compile(r"mention"), "data-user-id": re.compile(r"[0-9a-f-]{36}")},
    "td": {"align": re.compile(r"left|center|right")},
    "th": {"align": re.compile(r"left|center|right")},
}


class MarkupTooLargeError(ValueError):
    """The text makes more HTML, nests deeper, or takes more work than anything meant to be read."""


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
    """Whom a stretch of the source names; half-open, in code points, inside one span."""

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
    blocks = _Blocks(source, _MARKDOWN, env, tokens)
    _MARKDOWN.block.tokenize(blocks, 0, blocks.lineMax)
    _weigh(tokens)

    spans: list[Span] = []
    quotes = 0
    for token in tokens:
        if token.type == "inline":
            state = _Inline(token.content, _MARKDOWN, env, [])
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
    children: list[Token], pieces: list[_Piece], *, source: str, quoted: bool
) -> tuple[list[Token], list[Span]]:
    """Join the text tokens of one block and find its spans: one for each token that has an offset.

    A marker that opened or closed nothing, as in `@J*R`, is a text token of its own until here.
    """
    placed: list[Token] = []
    links = 0
    for token in children:
        if token.type not in _TEXT:
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


def _cut(at: int, end: int, pieces: list[_Piece]) -> Iterator[tuple[int, int]]:
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


def _spend(env: EnvType) -> None:
    """Count a step of work on one text, whatever rule takes it."""
    env["steps"] += 1
    if env["steps"] > MAX_STEPS:
        raise MarkupTooLargeError("The text has too much markup: simplify or shorten it.")


class _Blocks(StateBlock):
    """Counts work, and leaves with each inline token the pieces of the source it was made from."""

    _row = -1
    _cells: Iterator[list[_Piece]]

    @override
    def is_code_block(self, line: int) -> bool:
        # Each rule that is tried on a line asks this first.
        _spend(self.env)
        return super().is_code_block(line)

    @override
    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        _spend(self.env)
        if self.level + nesting >= MAX_NESTING:
            # markdown-it would leave out what stands deeper.
            raise MarkupTooLargeError("The text nests quotes or lists too deeply: flatten it.")
        if ttype in {"paragraph_close", "heading_close"}:
            self.tokens[-1].meta["pieces"] = self._trace_lines(self.tokens[-1], self.tokens[-2])
        elif ttype in {"th_close", "td_close"}:
            self.tokens[-1].meta["pieces"] = self._trace_cell(self.tokens[-1])
        return super().push(ttype, tag, nesting)

    def _trace_lines(self, inline: Token, opening: Token) -> list[_Piece]:
        """The rules only trim what they cut out, so `content` stands at its first place in that."""
        first, last = inline.map or (0, 0)
        if opening.markup.startswith("#"):
            marker_end = self.bMarks[first] + self.tShift[first] + len(opening.markup)
            return [(0, self.src.find(inline.content, marker_end))]
        raw = self.getLines(first, last, self.blkIndent, keepLastLF=False)
        begin = -raw.find(inline.content)
        pieces = []
        for line, text in enumerate(raw.split("\n"), first):
            # Only the indent of a line is changed, so it is measured from its end.
            pieces.append((begin, self.eMarks[line] - len(text)))
            begin += len(text) + 1
        return pieces

    def _trace_cell(self, inline: Token) -> list[_Piece]:
        line, _ = inline.map or (0, 0)
        if line != self._row:
            self._row = line
            start = self.bMarks[line] + self.tShift[line]
            self._cells = _split_cells(self.src[start : self.eMarks[line]], start)
        # A row that is too short is filled up with empty cells.
        return next(self._cells, [])


def _split_cells(line: str, start: int) -> Iterator[list[_Piece]]:
    r"""Yield the pieces of each cell in a table's line, cut as markdown-it does."""
    row = mdTrim(line)
    start += line.find(row)
    edges = [-1, *(pipe.start() for pipe in _PIPE.finditer(row)), len(row)]
    # Nothing before the first pipe, or after the last, is no cell.
    first = 1 if edges[1] == 0 else 0
    last = len(edges) - 1 if edges[-2] == len(row) - 1 else len(edges)
    for left, right in pairwise(edges[first:last]):
        raw = row[left + 1 : right]
        text = mdTrim(raw)
        at = start + left + 1 + raw.find(text)
        escapes = (escape.start() for escape in re.finditer(r"\\\|", text))
        yield [(0, at), *((i - gone, at + i + 1) for gone, i in enumerate(escapes))]


class _Inline(StateInline):
    """Counts tokens, and keeps in `meta["at"]` where in `src` the text of each one begins."""

    _pending_at = 0
    _run = -1
    _run_at = 0

    @override
    def append_pending(self, text: str) -> None:
        # Pending text is one stretch of `src`: rules add what they pass over, and cut its end only.
        if not self.pending:
            self._pending_at = self.pos
        super().append_pending(text)

    @override
    def pushPending(self) -> Token:
        token = super().pushPending()
        token.meta["at"] = self._pending_at
        return token

    @override
    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        _spend(self.env)
        token = super().push(ttype, tag, nesting)
        if ttype in _TEXT:
            # A rule that makes several tokens, as of `***`, moves `pos` after the last.
            if self._run == self.pos:
                self._run_at += len(self.tokens[-2].content)
            else:
                self._run = self._run_at = self.pos
            token.meta["at"] = self._run_at
        return token


class _InlineParser(ParserInline):
    @override
    def skipToken(self, state: StateInline) -> None:
        # A label that nothing closes is searched to the end of the block, from each "[" anew.
        _spend(state.env)
        super().skipToken(state)


class _Markdown(MarkdownIt):
    @override
    def validateLink(self, url: str) -> bool:
        return _LINK.fullmatch(url) is not None

    @override
    def normalizeLink(self, url: str) -> str:
        return super().normalizeLink(url) if len(url) <= MAX_URL else ""

    @override
    def normalizeLinkText(self, link: str) -> str:
        # As written: decoded, a host name in another script would look like one it isn't.
        return link


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


def _link_bare_url(state: StateInline, silent: bool) -> bool:
    """Link `https://...` in text. In place of the rule that searches all text before each `://`."""
    linkify = state.md.linkify
    if not linkify or silent or state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    if not (scheme := _BARE_SCHEME.search(state.pending[-len("_https") :])):
        return False
    start = state.pos - len(scheme[1])
    window = state.src[start : start + MAX_URL + 1]
    colon = len(scheme[1]) + 1
    length = linkify.test_schema_at(window, "http:", colon)
    # What closes emphasis is part of no address.
    url = window[: colon + length].rstrip("*_~")
    href = state.md.normalizeLink(url)
    if not state.md.validateLink(href):
        return False
    state.pending = state.pending[: -len(scheme[1])]
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos = start + len(url)
    return True


def _make_parser() -> _Markdown:
    markdown = _Markdown("js-default", {"maxNesting": MAX_NESTING}, renderer_cls=_Renderer)
    markdown.inline = _InlineParser()
    markdown.inline.ruler.at("linkify", _link_bare_url)
    # Text is joined in _place, where its offsets are known.
    markdown.disable(["html_block", "html_inline", "image", "fragments_join"])
    return markdown


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "rel":
        return value  # the cleaner's own: it is in no list above
    pattern = _ATTRIBUTES.get(tag, {}).get(name)
    return value if pattern and pattern.fullmatch(value) else None


_MARKDOWN = _make_parser()
_CLEANER = nh3.Cleaner(
    tags={*_TAGS, *_ATTRIBUTES},
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_keep_attribute,
    link_rel="nofollow ugc noopener",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
