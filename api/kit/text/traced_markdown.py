"""markdown-it, with bounds on its work, and with the offset in the source of all plain text.

markdown-it itself knows only the lines of a block. Here its states keep for each block of text the
pieces of the source that it was made from, and for each text token where it begins.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType
from typing_extensions import override

# Code points. A longer address stays text: rewriting a host name takes time in its square.
MAX_URL = 2_048
# Levels. A quote takes one, a list two.
MAX_NESTING = 32
# Block rules tried, tokens made, and tokens looked at while searching the end of a link's label.
MAX_STEPS = 75_000

# The addresses that may be linked.
LINK = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
# Types of tokens that hold plain text.
TEXT = {"text", "text_special"}

_BARE_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)
# A pipe that parts two cells, by the rule of markdown-it's own table.
_PIPE = re.compile(r"(?<!\\)\|")

# A part of a block's text: where it begins there, and in the source. It ends where the next begins.
Piece = tuple[int, int]


class MarkupTooLargeError(ValueError):
    """The text makes more HTML, nests deeper, or takes more work than anything meant to be read."""


def make_parser(renderer: type[RendererHTML]) -> MarkdownIt:
    """Return a parser that a text is given to with TracedBlocks and TracedInline."""
    markdown = _Markdown("js-default", {"maxNesting": MAX_NESTING}, renderer_cls=renderer)
    markdown.inline = _InlineParser()
    markdown.inline.ruler.at("linkify", _link_bare_url)
    # Text is joined in _place, where its offsets are known.
    markdown.disable(["html_block", "html_inline", "image", "fragments_join"])
    return markdown


class TracedBlocks(StateBlock):
    """Counts work, and leaves with each inline token the pieces of the source it was made from."""

    _row = -1
    _cells: Iterator[list[Piece]]

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

    def _trace_lines(self, inline: Token, opening: Token) -> list[Piece]:
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

    def _trace_cell(self, inline: Token) -> list[Piece]:
        line, _ = inline.map or (0, 0)
        if line != self._row:
            self._row = line
            start = self.bMarks[line] + self.tShift[line]
            self._cells = _split_cells(self.src[start : self.eMarks[line]], start)
        # A row that is too short is filled up with empty cells.
        return next(self._cells, [])


def _split_cells(line: str, start: int) -> Iterator[list[Piece]]:
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


class TracedInline(StateInline):
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
        if ttype in TEXT:
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
        return LINK.fullmatch(url) is not None

    @override
    def normalizeLink(self, url: str) -> str:
        return super().normalizeLink(url) if len(url) <= MAX_URL else ""

    @override
    def normalizeLinkText(self, link: str) -> str:
        # As written: decoded, a host name in another script would look like one it isn't.
        return link


def _link_bare_url(state: StateInline, silent: bool) -> bool:
    """Link `https://...` in text; replaces the rule that searches all text before each `://`."""
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


def _spend(env: EnvType) -> None:
    """Count a step of work on one text, whatever rule takes it."""
    env["steps"] += 1
    if env["steps"] > MAX_STEPS:
        raise MarkupTooLargeError("The text has too much markup: simplify or shorten it.")
