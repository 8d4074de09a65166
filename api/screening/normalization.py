"""The forms of a text in which word lists are matched, with a way back to the source.

Two spellings that a reader takes for the same word have one form: case, width, accents, look-alike
letters of other scripts, invisible characters, digits and symbols that stand for letters ("b4d"),
letters written apart ("b a d", "b.a.d") and letters that are repeated ("baaad").

Making a form takes a few passes in C. The way back is computed only for what was found.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from api.kit.text.scripts import UNSPACED_BLOCKS

# Accents of Latin, Greek and Cyrillic letters. Marks of other scripts are vowels and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")

# Letters that look like a Latin one, or are one with a stroke, after case folding.
_LOOK_ALIKES = str.maketrans(
    {
        **dict(zip("авекмнорстухѕіјԛԝѵԁһӏԍ", "abekmhopctyxsijqwvdhlg", strict=True)),
        **dict(zip("αβεηικμνορτυχωγ", "abenikmvoptuxwy", strict=True)),
        **dict(zip("ıłøđħŧƒɑɡɩʋʏօսոհցզյі", "ilodhtfagivyounhgqji", strict=True)),
        **{chr(0x1F1E6 + n): chr(ord("a") + n) for n in range(26)},  # regional indicators
        **{chr(0x1F130 + n): chr(ord("a") + n) for n in range(26)},  # squared letters
        **{chr(0x1F150 + n): chr(ord("a") + n) for n in range(26)},
        **{chr(0x1F170 + n): chr(ord("a") + n) for n in range(26)},
        "æ": "ae",
        "œ": "oe",
    }
)
# Digits that stand for letters. "i", "l" and "1" are one class, since each is read as any of them.
_DIGITS = str.maketrans({"0": "o", "1": "i", "l": "i", "3": "e", "4": "a", "5": "s", "7": "t"})
# Symbols do so only where they, repeated or not, touch letters on both sides, or begin a word.
_SYMBOL = re.compile(r"(?<=[^\W_])([@$!|€])\1*(?=[^\W_])|(?<![^\W_])[@$](?=[^\W_])")
_SYMBOLS = {"@": "a", "$": "s", "!": "i", "|": "i", "€": "e"}
_HAS_SYMBOL = re.compile(r"[@$!|€][^\W_]")
# One mark inside a word.
_INNER = re.compile(r"(?<=[^\W_])(?:[^\w\s]|_)(?=[^\W_])")
_HAS_INNER = re.compile(r"[^\w\s][^\W_]|_")
# Three letters or more that were written apart.
_APART = re.compile(r"(?<![^ ])[^ ](?: {1,2}[^ ](?![^ ])){2,}")
_HAS_APART = re.compile(r" [^ ] {1,2}[^ ] ")
_REPEATED = re.compile(r"([^ ])\1+")
_RUN = re.compile(r" +|([^ ])\1*")
_UNSPACED = re.compile(
    "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED_BLOCKS) + "]+"
)

# Characters whose form is remembered; a text of all of Unicode must not fill the memory.
_MAX_REMEMBERED = 20_000


def _fold(character: str) -> str:
    """Return the letters that a character is read as; empty for what is not seen."""
    if unicodedata.category(character) == "Cf" or _INVISIBLE.match(character):
        return ""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", character.casefold()))
    return unicodedata.normalize("NFC", plain.casefold().translate(_LOOK_ALIKES))


class _Table(dict[int, str]):
    """What `str.translate` looks each character up in; filled as characters are met."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code_point: int) -> str:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        folded = self[code_point] = self._fold(chr(code_point))
        return folded


_PLAIN = _Table(_fold)
_LETTERS = _Table(lambda character: _fold(character).translate(_DIGITS))
_SPACES = _Table(
    lambda character: character if character.isalnum() or _is_vowel(character) else " "
)


def _is_vowel(character: str) -> bool:
    """Tell whether it is a mark that is a letter of its script; accents are gone by then."""
    return unicodedata.category(character)[0] == "M"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a text; `locate` returns the source's index of a character of it."""

    text: str
    locate: Callable[[int], int]


def to_plain_form(source: str) -> Form:
    """Return the form that patterns are matched on: digits and punctuation stay as they are."""
    return Form(source.translate(_PLAIN), _make_locate(source, _PLAIN))


def to_word_forms(source: str) -> Iterator[Form]:
    """Yield the forms that words are matched on: letters and digits, and spaces for all else.

    The text itself; where there are any, the text without the marks inside words, and each row of
    letters that were written apart.
    """
    text = source.translate(_LETTERS)
    locate = _make_locate(source, _LETTERS)
    if _HAS_SYMBOL.search(text):
        text = _SYMBOL.sub(lambda run: _SYMBOLS[run[0][0]] * len(run[0]), text)
    words = text.translate(_SPACES)
    yield _part_unspaced(Form(words, locate))
    if _HAS_INNER.search(text):
        marks = [mark.start() for mark in _INNER.finditer(text)]
        yield _part_unspaced(_leave_out(Form(words, locate), marks))
    if _HAS_APART.search(f" {words} "):
        for row in _APART.finditer(words):
            spaces = [index for index in range(*row.span()) if words[index] == " "]
            begin = row.start()
            stretch = Form(row[0], lambda index, begin=begin: locate(begin + index))  # type: ignore[misc]
            yield from _list_parts(_leave_out(stretch, [index - begin for index in spaces]))


def _list_parts(row: Form) -> Iterator[Form]:
    """Yield a row of letters that were written apart, also without its first and its last letter.

    Either can be a word of one letter beside it: "a b a d".
    """
    for start in (0, 1):
        for end in (len(row.text), len(row.text) - 1):
            if end - start > 1:
                yield Form(
                    row.text[start:end],
                    lambda index, start=start: row.locate(start + index),  # type: ignore[misc]
                )


def squeeze(text: str) -> str:
    """Return a form's text with each repeated letter once, and one space between words."""
    return _REPEATED.sub(r"\1", " ".join(text.split()))


def list_runs(text: str) -> list[tuple[str, int]]:
    """Return each character of `squeeze(text)`, and how often it is repeated in the text."""
    return [(run[0][0], len(run[0])) for run in _RUN.finditer(text.strip(" "))]


def _make_locate(source: str, table: _Table) -> Callable[[int], int]:
    """Return how to find a character of the translated source: by halving, since that is in C."""

    def locate(index: int) -> int:
        return bisect_right(
            range(len(source)), index, key=lambda at: len(source[: at + 1].translate(table))
        )

    return locate


def _leave_out(form: Form, indexes: Sequence[int]) -> Form:
    """Return a form without the characters at these indexes, which are in order."""
    parts = zip((0, *(index + 1 for index in indexes)), (*indexes, len(form.text)), strict=True)
    # Before the n-th of what is left out stand indexes[n] - n characters that stay.
    stay = [index - n for n, index in enumerate(indexes)]
    return Form(
        "".join(form.text[start:end] for start, end in parts),
        lambda index: form.locate(index + bisect_right(stay, index)),
    )


def _part_unspaced(form: Form) -> Form:
    """Put spaces around the parts in scripts without spaces, so that words beside them end."""
    edges = [edge for part in _UNSPACED.finditer(form.text) for edge in part.span()]
    if not edges:
        return form
    # The n-th space is put in before the character at edges[n].
    spaces = [edge + n for n, edge in enumerate(edges)]
    return Form(
        _UNSPACED.sub(r" \g<0> ", form.text),
        lambda index: form.locate(index - bisect_right(spaces, index)),
    )
