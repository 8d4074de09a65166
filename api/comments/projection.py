"""A comment as readers see it: which columns are read, and how a row becomes the response.

Every surface that shows comments reads these columns, so what is hidden is hidden in PostgreSQL:
the text and the author of a comment that was deleted or removed never leave it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from api.comments.visibility import SHOWS_TEXT_C

# The columns of a comment that its response has under the same name: those that everybody sees of a
# tombstone too, and those that are null unless the comment is visible. A new field belongs into one
# of them, into the schema and into the table; nothing else lists fields.
_ALWAYS = (
    *("id", "article_id", "parent_id", "depth", "state", "up", "down", "score"),
    *("reply_count", "descendant_count", "version", "created_at", "edited_at"),
)
_WHILE_VISIBLE = ("body", "html")
FIELDS = (*_ALWAYS, *_WHILE_VISIBLE)

# What the response is made of beside these.
NAMES = (*FIELDS, "revision", "author_id", "mention_count")

# Of a row `c` of comments, in the order of NAMES.
COLUMNS = ", ".join(
    (
        *(f"c.{name}" for name in _ALWAYS),
        *(f"CASE WHEN {SHOWS_TEXT_C} THEN c.{name} END AS {name}" for name in _WHILE_VISIBLE),
        "c.revision",
        f"CASE WHEN {SHOWS_TEXT_C} THEN c.author_id END AS author_id",
        f"CASE WHEN {SHOWS_TEXT_C} THEN c.mention_count ELSE 0 END AS mention_count",
    )
)

# Bytes that a mention takes in a response: keys, ids, handle, and names in UTF-8.
MENTION_BYTES = 512
# Bytes of a comment that its author decides on, of a row `c`. PostgreSQL knows the length of a text
# that is stored out of line without reading it, so this needs no column of its own.
SIZE = f"""
CASE WHEN {SHOWS_TEXT_C}
THEN octet_length(c.body) + octet_length(c.html) + {MENTION_BYTES} * c.mention_count ELSE 0 END
"""
# The budget of one response. A thousand comments of 500 characters fit, as Markdown and as HTML; in
# JSON, where quotes and newlines are escaped, a page of text is at most twice as long.
MAX_PAGE_BYTES = 1024 * 1024

# Of a row `n` with the columns above, and its author `u` (JOIN_AUTHOR).
AUTHOR_COLUMNS = """
u.id AS author, u.handle, u.display_name, u.avatar_url,
CASE WHEN n.mention_count > 0 THEN (
  SELECT jsonb_agg(
    jsonb_build_object('user_id', m.user_id, 'handle', p.handle, 'display_name', p.display_name,
                       'start', m.start_offset, 'end', m.end_offset, 'text', m.text)
    ORDER BY m.start_offset)
  FROM comment_mentions m JOIN users p ON p.id = m.user_id
  WHERE m.comment_id = n.id
) END AS mentions
"""
AUTHOR_NAMES = ("author", "handle", "display_name", "avatar_url", "mentions")
JOIN_AUTHOR = "LEFT JOIN users u ON u.id = n.author_id"


def to_comment_fields(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """Return the fields of CommentRead, of a row with FIELDS and AUTHOR_NAMES."""
    fields = {name: row[name] for name in FIELDS}
    author = row["author"]
    fields["author"] = author and {
        "id": author,
        "handle": row["handle"],
        "display_name": row["display_name"],
        "avatar_url": row["avatar_url"],
    }
    fields["mentions"] = row["mentions"] or []
    return fields
