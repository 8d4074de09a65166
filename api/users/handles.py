"""Handles: their rules, and when two of them look alike."""

import re
from collections.abc import Container

from anyascii import anyascii

# Code points.
MIN_HANDLE = 2
MAX_HANDLE = 32
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


def _blur(handle: str) -> str:
    """Take "i" for "l" too: among reserved words nothing is lost by being strict."""
    return handle_skeleton(handle).replace("i", "l")


_RESERVED = frozenset(map(_blur, RESERVED_HANDLES))
