"""What people are called: the rules for handles and display names, and when two are the same."""

import re
import unicodedata
from collections.abc import Container

from anyascii import anyascii

# Code points.
MIN_HANDLE = 2
MAX_HANDLE = 32
MAX_NAME = 64
# Without the bounds on length; the same in PostgreSQL, Python and JSON Schema.
HANDLE_PATTERN = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"

_HANDLE = re.compile(HANDLE_PATTERN)
_MAX_NUMBER = 9_999

# Nobody may hold these, nor a look-alike of one.
RESERVED_HANDLES = frozenset(
    {
        # They seem to speak for the site.
        *("admin", "administrator", "admins", "founder", "mod", "moderator", "moderators", "mods"),
        *("official", "operator", "owner", "palaver", "root", "security", "staff", "superuser"),
        *("support", "sysadmin", "sysop", "system", "team"),
        # RFC 2142 gives these addresses to whoever runs a site.
        *("abuse", "contact", "help", "hostmaster", "info", "noreply", "postmaster", "webmaster"),
        # After an "@" they mean a crowd.
        *("all", "anyone", "channel", "everybody", "everyone", "here", "members", "thread"),
        # They mean nobody in particular.
        *("anonymous", "author", "deleted", "former", "guest", "nobody", "none", "null"),
        *("removed", "somebody", "someone", "undefined", "unknown"),
        # Where a person's handle stands in an address, these name something else.
        *("api", "current", "docs", "login", "logout", "me", "new", "register", "search"),
        *("settings", "users"),
    }
)

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


def normalize_handle(handle: str) -> str:
    """Return a handle as it is stored: in lower case. Raises ValueError for what can be none."""
    # Not every letter whose lower case is ASCII is ASCII: the Kelvin sign is not.
    lowered = handle.lower() if handle.isascii() else ""
    if not MIN_HANDLE <= len(lowered) <= MAX_HANDLE or not _HANDLE.fullmatch(lowered):
        raise ValueError(
            f"Choose a handle of {MIN_HANDLE} to {MAX_HANDLE} characters: letters a to z and "
            "digits, with single - or _ between them."
        )
    return lowered


def handle_skeleton(handle: str) -> str:
    """Return what look-alikes of a stored handle have in common; unique among all handles."""
    # Separators go first, so that "mo-dern" and "mod-ern" and "modern" stay one.
    joined = handle.replace("-", "").replace("_", "")
    return joined.replace("0", "o").replace("1", "l").replace("rn", "m").replace("vv", "w")


def is_reserved_handle(handle: str) -> bool:
    """Say whether a stored handle is reserved or looks like one that is, as `adm1n` does."""
    return _blur(handle) in _RESERVED


def handle_from_name(display_name: str, taken: Container[str]) -> str:
    """Propose a handle: the name in ASCII, with a number when it is taken or reserved.

    `taken` holds handles, skeletons, or both: a proposal is free by either.
    Raises ValueError when 9,999 numbers are taken.
    """
    ascii_name = anyascii(display_name).lower().replace("'", "")
    words = "-".join(re.findall(r"[a-z0-9]+", ascii_name))
    base = words[:MAX_HANDLE] or "user"
    for number in range(1, _MAX_NUMBER + 1):
        suffix = f"-{number}" if number > 1 else ""
        handle = base[: MAX_HANDLE - len(suffix)].rstrip("-") + suffix
        if len(handle) < MIN_HANDLE or is_reserved_handle(handle):
            continue
        if handle not in taken and handle_skeleton(handle) not in taken:
            return handle
    raise ValueError("Every numbered form of this name is taken: choose a handle.")


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


def _blur(handle: str) -> str:
    """Take "i" for "l" too: among reserved words nothing is lost by being strict."""
    return handle_skeleton(handle).replace("i", "l")


_RESERVED = frozenset(map(_blur, RESERVED_HANDLES))
