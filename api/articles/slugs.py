"""Slugs: the part of a link that people read, made from a title in any script."""

import re
from uuid import UUID

from anyascii import anyascii

MAX_SLUG_LENGTH = 120
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"

# In `/v1/articles/{article}` they would name something else; a test compares them with the routes.
RESERVED_SLUGS = frozenset({"by-external-id"})

# Room for what makes it another's.
_MAX_STEM = 80
# Articles of one title whose slugs are numbered; later ones have a part of their id in it.
_MAX_NUMBER = 20
# Hex digits of an id: 40 random bits.
_TAIL = 10
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)


def make_stem(title: str) -> str:
    """Return what a title sounds like in a-z, 0-9 and hyphens.

    Never empty, never like an id, never reserved.
    """
    words = re.findall(r"[a-z0-9]+", anyascii(title).lower().replace("'", ""))
    stem = ""
    for word in words:
        longer = f"{stem}-{word}" if stem else word[:_MAX_STEM]
        if len(longer) > _MAX_STEM:
            break
        stem = longer
    if not stem or is_like_id(stem) or is_reserved_slug(stem):
        return f"article-{stem}".rstrip("-")
    return stem


def is_like_id(ref: str) -> bool:
    """Tell whether this would be read as an article's id, and not as a slug."""
    return _UUID.fullmatch(ref) is not None


def is_reserved_slug(slug: str) -> bool:
    """Tell whether the paths of the API need this word themselves."""
    return slug in RESERVED_SLUGS


def propose_slugs(stem: str) -> list[str]:
    """Return the slugs to try for a stem, the best first: itself, then with a number."""
    return [stem, *(f"{stem}-{n}" for n in range(2, _MAX_NUMBER + 1))]


def make_own_slug(stem: str, article_id: UUID) -> str:
    """Return a slug that no other article can have; never like an id."""
    return f"{stem}-{article_id.hex[-_TAIL:]}"
