"""Slugs: the part of a link that people read, made from a title in any script."""

import re

from anyascii import anyascii

MAX_SLUG_LENGTH = 120
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"

# Room for a number behind it.
_MAX_STEM = 80
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")


def make_stem(title: str) -> str:
    """Return what a title sounds like in a-z, 0-9 and hyphens; never empty, never like an id."""
    words = re.findall(r"[a-z0-9]+", anyascii(title).lower().replace("'", ""))
    stem = ""
    for word in words:
        longer = f"{stem}-{word}" if stem else word[:_MAX_STEM]
        if len(longer) > _MAX_STEM:
            break
        stem = longer
    return stem if stem and not is_like_id(stem) else f"article-{stem}".rstrip("-")


def is_like_id(slug: str) -> bool:
    """Tell whether a slug would be read as an article's id."""
    return _UUID.fullmatch(slug) is not None


def number(stem: str, taken: set[str]) -> str:
    """Return the stem itself, or with the lowest number that is free among `taken`."""
    if stem not in taken:
        return stem
    n = 2
    while f"{stem}-{n}" in taken:
        n += 1
    return f"{stem}-{n}"
