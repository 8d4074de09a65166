"""Excerpts: the first words of a rendered text, as plain text."""

import html
import re

# Code points.
MAX_EXCERPT = 280
# Code points of HTML that are looked at: markup may be longer than what it shows.
_MAX_READ = 4_000

# A tag of cleaned HTML, and those after which a new line begins.
_TAG = re.compile(r'<(?:[^<>"]|"[^"]*")*>')
_BREAK = re.compile(r"</(?:p|h[1-6]|li|t[dhr]|pre|blockquote)>|<[bh]r>")
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
    cut = words[: MAX_EXCERPT - 1]
    # Not in the middle of a word, unless the script has no spaces or the word no end.
    at_space = cut.rfind(" ")
    if len(words) >= MAX_EXCERPT and words[MAX_EXCERPT - 1] != " " and at_space > MAX_EXCERPT // 2:
        cut = cut[:at_space]
    return f"{cut.rstrip()}\u2026" if cut else ""
