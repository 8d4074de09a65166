"""Excerpts: the beginning of a rendered text, as plain text."""

import html
import re

# Code points.
MAX_EXCERPT = 280
# Code points of HTML that are looked at: markup may be longer than what it shows.
_MAX_READ = 4_000

# A tag of cleaned HTML, and those after which a new line begins.
_TAG = re.compile(r'<(?:[^<>"]|"[^"]*")*>')
_BREAK = re.compile(r"</(?:p|h[1-6]|li|t[dhr]|pre|blockquote)>|<[bh]r>")
_PARAGRAPH_END = re.compile(r"</(?:p|h[1-6]|pre|blockquote|table|[ou]l)>\n?")
_LINE_END = re.compile(r"(?:<[bh]r>|</(?:li|tr)>)\n?")
_EMPTY_LINES = re.compile(r"\n{3,}")
# What a cut through the middle of a tag or an entity leaves.
_REST = re.compile(r"(?:<[^>]*|&[^;\s]{0,31})\Z")


def make_excerpt(rendered: str) -> str:
    """Return the beginning of cleaned HTML as plain text on one line, cut between words.

    At most MAX_EXCERPT code points; where it was cut, the last one is an ellipsis.
    """
    read = rendered[:_MAX_READ]
    if len(rendered) > _MAX_READ:
        read = _REST.sub("", read)
    text = html.unescape(_TAG.sub("", _BREAK.sub(" ", read)))
    words = " ".join(text.split())
    if len(words) <= MAX_EXCERPT and len(rendered) <= _MAX_READ:
        return words
    return _cut(words, MAX_EXCERPT)


def make_plain_text(rendered: str, limit: int) -> str:
    """Return cleaned HTML as plain text in lines, an empty one between paragraphs.

    At most `limit` code points; where it was cut, the last one is an ellipsis.
    """
    broken = _LINE_END.sub("\n", _PARAGRAPH_END.sub("\n\n", rendered))
    text = html.unescape(_TAG.sub("", broken))
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    whole = _EMPTY_LINES.sub("\n\n", lines).strip()
    return whole if len(whole) <= limit else _cut(whole, limit)


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text with an ellipsis, at most `limit` code points."""
    cut = text[: limit - 1]
    # Not in the middle of a word, unless the script has no spaces or the word no end.
    at_space = cut.rfind(" ")
    if len(text) >= limit and text[limit - 1] != " " and at_space > limit // 2:
        cut = cut[:at_space]
    return f"{cut.rstrip()}\u2026" if cut else ""
