"""Handles: their rules, when two of them look alike, and which names are kept for staff."""

import re
from collections.abc import Container

from anyascii import anyascii

from api.kit.text.names import to_latin

# Code points.
MIN_HANDLE = 2
MAX_HANDLE = 32
# Without the bounds on length; the same in PostgreSQL, Python and JSON Schema.
HANDLE_PATTERN = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"

_HANDLE = re.compile(HANDLE_PATTERN)
_MAX_NUMBER = 9_999

# No member may hold these, nor a look-alike of one.
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


# A name is that of staff when a word of it begins with one of these ...
_STAFF_STEMS = ("admin", "administrator", "moderator", "superuser", "sysadmin")
# ... or when there is one of these in it, and apart from them only the others.
_STAFF_WORDS = frozenset(
    {
        *("admins", "founder", "mod", "mods", "moderation", "official", "operator", "owner"),
        *("palaver", "root", "security", "staff", "support", "sysop", "system", "team"),
        "webmaster",
    }
)
_WORDS_BESIDE = frozenset({"and", "board", "community", "forum", "my", "of", "our", "site", "the"})
# What stands for a letter in "4dm!n".
_LETTERS = str.maketrans("34578@$!|", "eastbasll")


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
    for look_alike, letter in (("0", "o"), ("1", "l"), ("i", "l"), ("rn", "m"), ("vv", "w")):
        joined = joined.replace(look_alike, letter)
    return joined


def further_skeleton(handle: str) -> str:
    """Return what is stored for a handle whose skeleton belongs to another handle already.

    The space keeps it apart from every skeleton. So are stored a look-alike of the person's own
    handle, and handles from before two skeletons became one (migration 0005).
    """
    return f"{handle_skeleton(handle)} {handle}"


def is_reserved_handle(handle: str) -> bool:
    """Tell whether a stored handle is reserved or looks like one that is, as `adm1n` does."""
    return handle_skeleton(handle) in _RESERVED


def looks_like_staff(name: str) -> bool:
    """Tell whether readers may take who has this handle or display name for staff.

    Letters of other scripts, digits and signs count as the Latin letters that they look or sound
    like: "Admin" with a Cyrillic a, "M0derator", "[4dm!n]", "Support Team".
    """
    return any(
        _is_of_staff(reading)
        for latin in to_latin(name)
        for reading in (latin, latin.translate(_LETTERS))
    )


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


def _is_of_staff(latin: str) -> bool:
    words = [handle_skeleton(word) for word in re.findall(r"[a-z0-9]+", latin)]
    if any(map(_is_staff_word, words)):
        return True
    others = [word for word in words if word not in _WORD_SKELETONS]
    only_staff_words = len(others) < len(words) and _BESIDE_SKELETONS.issuperset(others)
    # "a d m i n"
    return only_staff_words or "".join(words) in _WORD_SKELETONS.union(_STEM_SKELETONS)


def _is_staff_word(word: str) -> bool:
    """Tell whether the skeleton of a word means staff: "admin2", "adminteam", "forumadmin"."""
    bare = word.rstrip("23456789")
    return any(
        bare.startswith(stem) or (bare.endswith(stem) and bare.removesuffix(stem) in _BEFORE_STEMS)
        for stem in _STEM_SKELETONS
    )


_RESERVED = frozenset(map(handle_skeleton, RESERVED_HANDLES))
_STEM_SKELETONS = tuple(map(handle_skeleton, _STAFF_STEMS))
_WORD_SKELETONS = frozenset(map(handle_skeleton, _STAFF_WORDS))
_BESIDE_SKELETONS = frozenset(map(handle_skeleton, _WORDS_BESIDE))
_BEFORE_STEMS = _WORD_SKELETONS | _BESIDE_SKELETONS | frozenset({"head", "super", "web"})
