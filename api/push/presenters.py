"""What is pushed of a notification: ids, and enough to show one line."""

import hashlib
from typing import Any

import orjson
from sqlalchemy import RowMapping

from api.push.keys import encode
from models import NotificationKind

# Code points of a name and a title: the whole stays far below the 4,096 bytes that browsers take.
_MAX_TEXT = 120
_QUIET = frozenset({NotificationKind.FOLLOWED, NotificationKind.NEW_ARTICLE})
# Bytes of a topic, which has at most 32 characters in Base64.
_TOPIC_SIZE = 24


def render_push(row: RowMapping) -> bytes:
    """Return the content of a push message, JSON."""
    content: dict[str, Any] = {
        "id": row["id"],
        "number": row["number"],
        "kind": row["kind"],
        "article_id": row["article_id"],
        "comment_id": row["comment_id"],
        "actor": _cut(row["actor_display_name"] or row["actor_handle"]),
        "title": _cut(row["article_title"]),
    }
    # The ids are of asyncpg's own class.
    return orjson.dumps(content, default=str)


def make_topic(row: RowMapping) -> str:
    """Return the topic: of several messages of one, a browser that was away gets the last only."""
    group = f"{row['kind']} {row['group_id']}".encode()
    return encode(hashlib.sha256(group).digest()[:_TOPIC_SIZE])


def choose_urgency(row: RowMapping) -> str:
    """Return whether a browser on battery should be woken for it (RFC 8030, 5.3)."""
    return "low" if row["kind"] in _QUIET else "normal"


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= _MAX_TEXT:
        return text
    return f"{text[: _MAX_TEXT - 1]}\u2026"
