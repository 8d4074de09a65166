"""Names of people: which display names are allowed, and when two names are the same."""

import unicodedata

from anyascii import anyascii

# Code points.
MAX_NAME = 64

_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER = "\u200c", "\u200d"
_EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")
_IDEOGRAPH_SELECTORS = frozenset(map(chr, range(0xE0100, 0xE01F0)))
# All that `clean_name_errors` lets stand in a name and that has no looks of its own.
_UNSEEN = {
    ord(character): None
    for character in {_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER}
    | _EMOJI_SELECTORS
    | _IDEOGRAPH_SELECTORS
}
# What keyboards with "smart punctuation" make of "'".
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc", "'"))

# Letters that are drawn like Latin ones and are pronounced otherwise, so that a transliteration
# misses them: the common ones of Unicode's confusables.txt (UTS 39).
_LOOK_ALIKES = str.maketrans(
    # Cyrillic, Greek, Armenian, Cherokee, Lisu.
    "АВЕЅІЈКМНОРСТУХԌԚԜӀҺавеѕіјкмнорстухԁԛԝӏһпг"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγικνορτυχωցհոսօք"
    "ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ",  # noqa: RUF001 - on purpose
    "abesijkmhopctyxgqwlhabesijkmhopctyxdqwlhnr"
    "abezhikmnoptyxabyikvoptuxwghnuop"
    "abcdeghijklmprstvwzabcdefghijklmnoprstuvwxyz",
)

_BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Drawn as nothing or as a gap, though no format characters (Cf): combining grapheme joiner, fillers
# of Hangul and Khmer, Mongolian selectors, the other variation selectors, an empty Braille cell.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE0E)))
)
# Scripts, as the names of their characters begin, in which a joiner changes how a word is spelt.
_JOINING_SCRIPTS = frozenset(
    {
        *("ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "KHMER"),
        *("MALAYALAM", "MONGOLIAN", "MYANMAR", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU"),
    }
)


def name_key(name: str) -> str:
    """Return the form in which two names are compared; equal for what a reader takes as equal.

    NFKC and case-folded, without joiners and variation selectors, with one kind of apostrophe,
    trimmed, each run of white space one space. At most 18 times as long as the name (U+FDFA).
    """
    key = unicodedata.normalize("NFKC", name.translate(_UNSEEN)).casefold()
    key = unicodedata.normalize("NFKC", key).translate(_APOSTROPHES)
    return " ".join(key.split())


def to_latin(name: str) -> set[str]:
    """Return what readers of Latin letters may take a name for, in lower-case ASCII.

    At most two readings: by sound, and by looks. The Cyrillic "er" sounds like an r and looks like
    a p; its a is one by both.
    """
    composed = unicodedata.normalize("NFKC", name.translate(_UNSEEN))
    readings = (composed, composed.translate(_LOOK_ALIKES))
    return {anyascii(reading).lower() for reading in readings}


def clean_name_errors(name: str) -> str | None:
    """Say what to change in a display name, or None when it is fine.

    Joiners and variation selectors are invisible and still needed: Persian and the scripts of India
    are spelt with joiners, Japanese names with selectors, and emoji with both. They may stand where
    they do that work, and nowhere else; `name_key` doesn't see them, so they make no second "Max".
    """
    if not 1 <= len(name) <= MAX_NAME:
        return f"Choose a name of 1 to {MAX_NAME} characters."
    if name != name.strip():
        return "Remove the spaces at the beginning and at the end of the name."
    return clean_line_errors(name)


def clean_line_errors(line: str) -> str | None:
    """Say what to remove from a line that others see, such as a title, or None when it is fine."""
    for i, character in enumerate(line):
        if fault := _find_fault(character, line[i - 1 : i], line[i + 1 : i + 2]):
            return f"Remove the {fault} U+{ord(character):04X}."
    return None


def _find_fault(character: str, before: str, after: str) -> str | None:
    """Name the kind of a character that may not stand in a name at this place."""
    category = unicodedata.category(character)
    if character in _BIDIRECTIONAL:
        return "text direction character"
    if category in {"Cc", "Zl", "Zp"}:
        return "control character"
    if category == "Cs":
        return "half of a surrogate pair"
    if category == "Cf" or character in _BLANK or ord(character) in _UNSEEN:
        return None if _has_work(character, before, after) else "invisible character"
    return None


def _has_work(character: str, before: str, after: str) -> bool:
    """Say whether a joiner or a variation selector changes how the characters around it look."""
    if not before:
        return False
    seen = unicodedata.category(before[-1])
    if character in _EMOJI_SELECTORS:
        return seen in {"So", "Sm"}
    if character in _IDEOGRAPH_SELECTORS:
        return unicodedata.name(before[-1], "").startswith("CJK ")
    if not after or character not in {_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER}:
        return False
    if _joins(before[-1]) and _joins(after[0]):
        return True
    # U+1F3FB to U+1F3FF, the skin tones, are Sk.
    emoji = seen in {"So", "Sk"} or before[-1] in _EMOJI_SELECTORS
    return character == _ZERO_WIDTH_JOINER and emoji and unicodedata.category(after[0]) == "So"


def _joins(character: str) -> bool:
    return unicodedata.name(character, "").partition(" ")[0] in _JOINING_SCRIPTS
