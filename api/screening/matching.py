"""Word lists: many words and patterns looked for in one text, in time that its length bounds.

Words are found with one Aho-Corasick automaton, patterns with one RE2 set: neither backtracks.
10,000 words over 10,000 characters take about 2 ms (`screening` in benchmarks/).
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from api.kit.text.scripts import is_unspaced
from api.screening.normalization import Form, list_runs, squeeze, to_plain_form, to_word_forms

# Code points.
MAX_VALUE = 200
MIN_WORD = 2
# Bytes of RE2's program for one pattern, and for all.
_MAX_PATTERN_MEMORY = 1 << 20
_MAX_SET_MEMORY = 64 << 20


class EntryKind(StrEnum):
    """How the value of an entry is matched."""

    WORD = "word"
    PATTERN = "pattern"


class InvalidEntryError(ValueError):
    """The value cannot be matched; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word, which may hold spaces, or a pattern in RE2's syntax."""

    id: UUID
    kind: EntryKind
    value: str


@dataclass(frozen=True, slots=True)
class Match:
    """Where an entry was found: code points of the source, half-open."""

    entry_id: UUID
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Word:
    """A word in the form in which it is matched, and how often each letter of it is repeated."""

    entry_id: UUID
    # With a space at each end where a word ends there.
    form: str
    repeats: tuple[int, ...]


class Matcher:
    """All entries of a site, prepared once for each version of its rules."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Prepare entries whose values passed `check_value`."""
        self._words = [
            _to_word(entry.id, entry.value) for entry in entries if entry.kind is EntryKind.WORD
        ]
        self._automaton = AhoCorasick(
            [word.form for word in self._words], matchkind=MatchKind.Standard
        )
        self._patterns = [
            (entry.id, _compile(entry.value))
            for entry in entries
            if entry.kind is EntryKind.PATTERN
        ]
        self._set = re2.Set.SearchSet(_make_options(_MAX_SET_MEMORY))
        for entry in entries:
            if entry.kind is EntryKind.PATTERN:
                self._set.Add(entry.value)
        if self._patterns:
            self._set.Compile()

    def find(self, source: str) -> list[Match]:
        """Return the first place of each entry that the text holds, in the order of the text."""
        found: dict[UUID, Match] = {}
        for match in (*self._find_words(source), *self._find_patterns(source)):
            known = found.get(match.entry_id)
            if known is None or match.start < known.start:
                found[match.entry_id] = match
        return sorted(found.values(), key=lambda match: (match.start, match.end))

    def _find_words(self, source: str) -> Iterator[Match]:
        if not self._words:
            return
        for form in to_word_forms(source):
            hits = self._automaton.find_matches_as_indexes(
                f" {squeeze(form.text)} ", overlapping=True
            )
            for index in dict.fromkeys(index for index, _, _ in hits):
                word = self._words[index]
                # The automaton saw each repeated letter once: "good" is no "god", but "goood" is.
                if place := _compile_place(word.form, word.repeats).search(form.text):
                    yield _to_match(word.entry_id, form, place.start(), place.end())

    def _find_patterns(self, source: str) -> Iterator[Match]:
        if not self._patterns:
            return
        form = to_plain_form(source)
        # None where nothing matches.
        for index in self._set.Match(form.text) or ():
            entry_id, pattern = self._patterns[index]
            hit = pattern.search(form.text)
            # What matches nothing at some place says nothing of a text.
            if hit is not None and hit.end() > hit.start():
                yield _to_match(entry_id, form, hit.start(), hit.end())


def check_value(kind: EntryKind, value: str) -> None:
    """Raise InvalidEntryError when a value cannot be an entry of this kind."""
    if not 1 <= len(value) <= MAX_VALUE:
        raise InvalidEntryError(f"Use 1 to {MAX_VALUE} characters.")
    if kind is EntryKind.WORD:
        form = squeeze(_to_text(value))
        if len(form) < MIN_WORD and not any(map(is_unspaced, form)):
            raise InvalidEntryError("Use a word with at least two different letters or digits.")
        return
    try:
        pattern = _compile(value)
    except re2.error as error:
        raise InvalidEntryError(
            f"RE2 does not accept this pattern: {_describe(error)}. Look-around and "
            "back-references are not available, since they can take unbounded time."
        ) from error
    if pattern.fullmatch("") is not None:
        raise InvalidEntryError("The pattern matches the empty text, so every comment. Narrow it.")


def _to_word(entry_id: UUID, value: str) -> _Word:
    text = _to_text(value)
    repeats = tuple(count for _, count in list_runs(text))
    form = squeeze(text)
    # Spaces around it let it match whole words only. Scripts without spaces have no such words.
    before = "" if is_unspaced(form[0]) else " "
    after = "" if is_unspaced(form[-1]) else " "
    return _Word(entry_id, f"{before}{form}{after}", repeats)


def _to_match(entry_id: UUID, form: Form, start: int, end: int) -> Match:
    return Match(entry_id, form.locate(start), form.locate(end - 1) + 1)


@functools.lru_cache(maxsize=4096)
def _compile_place(form: str, repeats: tuple[int, ...]) -> re.Pattern[str]:
    """Return what finds a word in a form's text, each letter at least as often as in the word."""
    letters = zip(form.strip(" "), repeats, strict=True)
    place = "".join(" +" if letter == " " else f"{letter}{{{n},}}" for letter, n in letters)
    before = "(?<![^ ])" if form.startswith(" ") else ""
    after = "(?![^ ])" if form.endswith(" ") else ""
    return re.compile(f"{before}{place}{after}")


def _to_text(value: str) -> str:
    return next(to_word_forms(value)).text


@functools.lru_cache(maxsize=4096)
def _compile(value: str) -> "re2._Regexp":
    """Return a pattern for texts in their plain form, which is in lower case."""
    return re2.compile(value, _make_options(_MAX_PATTERN_MEMORY))


def _make_options(max_memory: int) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = max_memory
    return options


def _describe(error: Exception) -> str:
    (reason, *_) = error.args or ("",)
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
