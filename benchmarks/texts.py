"""What the seeded people write: Markdown of random words, rendered by the service's own renderer.

A pool of texts is rendered once and shared by all seeded comments: rendering a million would take
minutes, and nothing that is measured reads a text more closely than its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from api.kit.text import markup
from api.kit.text.markup import MentionMark

PLAIN_TEXTS = 4000
MENTIONING_TEXTS = 400
# Characters, on average.
_MEAN_LENGTH = 220
_LONGEST = 2000
_SYLLABLES = (
    *("al", "ber", "con", "dor", "en", "fi", "gra", "hul", "in", "jo", "ka", "lem", "mor"),
    *("na", "ost", "per", "qui", "ran", "sol", "tur", "un", "ver", "wil", "xo", "yar"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A person who writes."""

    id: UUID
    handle: str


@dataclass(frozen=True, slots=True)
class Text:
    """A comment's text. `mention` is (start, end, user id, the words) of the one it may have."""

    body: str
    html: str
    mention: tuple[int, int, UUID, str] | None


def make_texts(random: Random, people: Sequence[Person]) -> tuple[list[Text], list[Text]]:
    """Return the plain texts, and those that begin with a mention."""
    words = _make_words(random)
    plain = [_make_text(random, words, None) for _ in range(PLAIN_TEXTS)]
    mentioning = [_make_text(random, words, random.choice(people)) for _ in range(MENTIONING_TEXTS)]
    return plain, mentioning


def make_sentences(random: Random, words: Sequence[str], length: int) -> str:
    """Return sentences of about `length` characters, here and there with emphasis."""
    parts: list[str] = []
    written = 0
    while written < length:
        count = random.randint(4, 14)
        sentence = [words[int(len(words) * random.random() ** 2)] for _ in range(count)]
        if random.random() < 0.15:
            sentence[1] = f"*{sentence[1]}*"
        parts.append(" ".join(sentence).capitalize() + ".")
        written += len(parts[-1]) + 1
        if random.random() < 0.1:
            parts.append("\n\n")
    return " ".join(parts).strip()


def _make_words(random: Random) -> list[str]:
    made = {"".join(random.choices(_SYLLABLES, k=random.randint(1, 4))) for _ in range(2500)}
    return sorted(made, key=lambda word: (len(word), word))


def _make_text(random: Random, words: Sequence[str], mentioned: Person | None) -> Text:
    length = min(_LONGEST, int(random.expovariate(1 / _MEAN_LENGTH)) + 20)
    source = make_sentences(random, words, length)
    marks: list[MentionMark] = []
    mention = None
    if mentioned is not None:
        named = f"@{mentioned.handle}"
        source = f"{named} {source}"
        marks = [MentionMark(0, len(named), mentioned.id)]
        mention = (0, len(named), mentioned.id, named)
    document = markup.parse(source)
    return Text(document.source, document.render(marks), mention)
