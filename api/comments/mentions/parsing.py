"""Find who each "@" of a comment refers to. Pure: find candidates, list names, choose.

A name may hold spaces and punctuation, so where it ends is known only by who exists: `find` offers
every end it could have, the caller looks all of them up in one query, and `resolve` chooses.
Offsets are code points of the document's source.

What is an address is never a mention: `max@example.com`, and `@max@example.com` as other networks
write people. In scripts without spaces between words a mention stands right beside other letters.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from api.kit.text.markup import Document
from api.kit.text.names import MAX_NAME, name_key
from api.kit.text.scripts import is_unspaced

MAX_MENTIONS = 50
MAX_WORDS = 8
# Of an ambiguous mention, and of suggestions.
MAX_CANDIDATES = 10
MAX_SUGGESTIONS = 10

_JOINERS = "\u200c\u200d"
_POSSESSIVE = re.compile(r"['\u2019]s\Z", re.IGNORECASE)
_SALUTATION = re.compile(r"\s*[,:]|\s+(?:wrote|said)\b", re.IGNORECASE)
# The local part of an e-mail address and what follows it: no name goes through it.
_LOCAL_PART = re.compile(r"[\w.+-]{1,64}@(?=\w)")
# The first label of a host and the dot after it.
_HOST = re.compile(r"[\w-]{1,64}\.[a-z0-9]", re.IGNORECASE)
# An "@" right after one of these is part of something else: a password, an address, a formula.
_NOT_BEFORE = frozenset("@!#$%&")


@dataclass(frozen=True, slots=True)
class PossibleName:
    """A possible name: where it ends, and its normal form."""

    end: int
    key: str


@dataclass(frozen=True, slots=True)
class MentionCandidate:
    """An "@" at `start`, with the names that may follow it: one at least, the longest first.

    `in_word` is true after a letter of a script without spaces: a mention if a person has the
    name, otherwise probably an address.
    """

    start: int
    candidates: tuple[PossibleName, ...]
    in_word: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A person who was looked up; `handles` are all that the person has or had."""

    user_id: UUID
    handle: str
    display_name: str
    avatar_url: str | None
    handles: frozenset[str]
    in_thread: bool

    @property
    def keys(self) -> frozenset[str]:
        """Return the normal forms of all names of the person."""
        return self.handles | {name_key(self.display_name)}


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of the source, "@" included, that names one person."""

    start: int
    end: int
    text: str
    person: Person


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A stretch of the source, "@" included, that names nobody, or one of several people."""

    start: int
    end: int
    text: str
    reason: Literal["unknown", "ambiguous"]
    candidates: tuple[Person, ...]


class Suggestion(NamedTuple):
    """A stretch of the source that may have been meant as a mention, though it has no "@"."""

    start: int
    end: int
    person: Person


def find(document: Document) -> tuple[MentionCandidate, ...]:
    """Find where people may be mentioned: the first MAX_MENTIONS of these places, in order."""
    found: list[MentionCandidate] = []
    for span in document.spans:
        start = document.source.find("@", span.start, span.end)
        while start >= 0 and len(found) < MAX_MENTIONS:
            if _may_start(document.source, start, span.start):
                in_word = _is_in_word(document.source[start - 1 : start])
                candidates = [
                    PossibleName(end, name_key(document.source[start + 1 : end]))
                    for end in _find_ends(document.source, start + 1, span.end)
                ]
                if candidates:
                    found.append(MentionCandidate(start, tuple(reversed(candidates)), in_word))
            start = document.source.find("@", start + 1, span.end)
    return tuple(found)


def keys_of(ats: Iterable[MentionCandidate]) -> frozenset[str]:
    """Return what to look up, among handles and display names alike."""
    return frozenset(candidate.key for at in ats for candidate in at.candidates)


def resolve(
    source: str, ats: Iterable[MentionCandidate], people: Sequence[Person]
) -> tuple[list[Mention], list[Unresolved]]:
    """Choose who each "@" means: of the thread's people, and if none of them, of everybody.

    Of each group the longest name that anybody has decides; for one name, its handle's owner does.
    """
    groups = [_group_by_key(p for p in people if p.in_thread), _group_by_key(people)]
    mentions: list[Mention] = []
    unresolved: list[Unresolved] = []
    for at in ats:
        end, fitting = _choose(at, groups)
        if len(fitting) == 1:
            mentions.append(Mention(at.start, end, source[at.start : end], fitting[0]))
        elif fitting:
            some = sorted(fitting, key=lambda person: person.handle)[:MAX_CANDIDATES]
            text = source[at.start : end]
            unresolved.append(Unresolved(at.start, end, text, "ambiguous", tuple(some)))
        elif not at.in_word:
            end = _end_first_word(source, at)
            text = source[at.start : end]
            unresolved.append(Unresolved(at.start, end, text, "unknown", ()))
    return mentions, unresolved


def suggest(document: Document, people: Sequence[Person]) -> tuple[Suggestion, ...]:
    """Find paragraphs that begin by addressing or quoting one of these people without an "@".

    Such a name stands before a comma, a colon, "wrote" or "said". The name may lack its last words,
    or have the last one as an initial, while that fits one person only. At most MAX_SUGGESTIONS.
    """
    names = _list_names(people)
    suggestions: list[Suggestion] = []
    for span in document.spans:
        if not span.opens:
            continue
        opening = document.source[
            span.start : min(span.end, span.start + MAX_NAME + len(" wrote "))
        ]
        # The last comma first: names may hold some.
        for address in reversed(list(_SALUTATION.finditer(opening))):
            person = names.get(name_key(opening[: address.start()]))
            if person:
                end = span.start + address.start()
                suggestions.append(Suggestion(span.start, end, person))
                break
        if len(suggestions) == MAX_SUGGESTIONS:
            break
    return tuple(suggestions)


def _may_start(source: str, start: int, span_start: int) -> bool:
    """Say whether what stands before an "@" lets it begin a mention."""
    before = source[start - 1 : start]
    if before and before in "*_":
        # Emphasis begins there, unless the reader sees the marker: in the span, or escaped.
        return start == span_start and source[start - 2 : start - 1] != "\\"
    if _is_in_word(before):
        # An e-mail address, unless the word can end anywhere and no host follows.
        return is_unspaced(before) and not _HOST.match(source, start + 1)
    return before not in _NOT_BEFORE


def _find_ends(source: str, start: int, end: int) -> Iterator[int]:
    """Yield where a name that begins at `start` may end in a span that ends at `end`."""
    words = 0
    named = False
    for i in range(start, min(end, start + MAX_NAME)):
        character = source[i]
        if character.isspace():
            # A line separator of Unicode is no end of a line in Markdown.
            if i == start or character.splitlines() == [""]:
                return
            continue
        if i == start or source[i - 1].isspace():
            words += 1
        if character == "@" or words > MAX_WORDS:
            return
        if (i == start or not _is_local(source[i - 1])) and _LOCAL_PART.match(source, i):
            return
        # Punctuation alone is no name.
        category = unicodedata.category(character)
        named = named or category[0] in "LN" or category == "So"
        if named and _ends_name(source, i + 1, in_span=i + 1 < end):
            yield i + 1


def _ends_name(source: str, end: int, *, in_span: bool) -> bool:
    """Say whether what stands at `end` can't be more of a word or a handle."""
    following = source[end : end + 3]
    if not in_span:
        # Some editors escape "_" and "-"; the reader sees `@max\_power` as one word.
        following = following.removeprefix("\\")
    next_one, next_two = following[:1], following[1:2]
    if _follows_unspaced(source[end - 1], next_one):
        return True
    return not (
        _is_in_word(next_one) or next_one == "_" or (next_one == "-" and _is_in_word(next_two))
    )


def _follows_unspaced(last: str, following: str) -> bool:
    """Say whether a name that ends with `last` can end before a letter right after it.

    Korean has spaces, but its particles stand right after a name.
    """
    if is_unspaced(last) or _is_hangul(last):
        return False
    return is_unspaced(following) or _is_hangul(following)


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _is_local(character: str) -> bool:
    """Say whether it may stand in the local part of an address as `_LOCAL_PART` reads it."""
    return character in ".+-_" or character.isalnum()


def _is_in_word(character: str) -> bool:
    """Say whether it is a letter, a digit, or what combines or joins them; "" is not."""
    return character != "" and (
        unicodedata.category(character)[0] in "LNM" or character in _JOINERS
    )


def _group_by_key(people: Iterable[Person]) -> dict[str, dict[UUID, Person]]:
    groups: dict[str, dict[UUID, Person]] = defaultdict(dict)
    for person in people:
        for key in person.keys:
            groups[key][person.user_id] = person
    return groups


def _choose(
    at: MentionCandidate, groups: Iterable[dict[str, dict[UUID, Person]]]
) -> tuple[int, list[Person]]:
    """Return the end of the deciding name and who it fits; nobody when no name does."""
    for people in groups:
        for candidate in at.candidates:
            if fitting := list(people.get(candidate.key, {}).values()):
                owners = [person for person in fitting if candidate.key in person.handles]
                return candidate.end, owners or fitting
    return at.start, []


def _end_first_word(source: str, at: MentionCandidate) -> int:
    """Return the end of what to show of an unknown name: a word without "'s" and full stops."""
    for candidate in at.candidates:
        name = source[at.start + 1 : candidate.end]
        one_word = not any(map(str.isspace, name))
        if one_word and _is_in_word(name[-1]) and not _POSSESSIVE.search(name):
            return candidate.end
    return at.candidates[-1].end


def _list_names(people: Iterable[Person]) -> dict[str, Person]:
    """Map what people may be called to those it fits alone; whole names go before short ones."""
    whole: dict[str, dict[UUID, Person]] = defaultdict(dict)
    short: dict[str, dict[UUID, Person]] = defaultdict(dict)
    for person in people:
        name = name_key(person.display_name)
        whole[name][person.user_id] = person
        words = name.split(" ")
        for n in range(1, len(words)):
            begin = " ".join(words[:n])
            for form in (begin, f"{begin} {words[-1][0]}", f"{begin} {words[-1][0]}."):
                short[form][person.user_id] = person
    return {
        name: next(iter(called.values()))
        for name, called in (short | whole).items()
        if len(called) == 1
    }
