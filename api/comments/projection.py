"""A comment as readers see it: which columns are read, and how a row becomes the answer.

Every surface that shows comments reads these columns, so what is hidden is hidden in PostgreSQL:
the text and the author of a comment that was taken back never leave it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from api.comments.visibility import SHOWS_TEXT_C

# Of a row `c` of comments. Ids are texts here: they only travel on into JSON.
COLUMNS = f"""
c.id::text AS id, c.article_id::text AS article_id, c.parent_id::text AS parent_id, c.depth,
CASE WHEN {SHOWS_TEXT_C} THEN c.author_id END AS author_id,
CASE WHEN {SHOWS_TEXT_C} THEN c.body END AS body,
CASE WHEN {SHOWS_TEXT_C} THEN c.html END AS html,
CASE WHEN {SHOWS_TEXT_C} THEN c.mention_count ELSE 0 END AS mention_count,
c.state, c.up, c.down, c.score, c.reply_count, c.descendant_count, c.version, c.revision,
c.created_at, c.edited_at
"""

# What these columns are called, in their order: a result that is told need not find it out.
NAMES = (
    *("id", "article_id", "parent_id", "depth", "author_id", "body", "html", "mention_count"),
    *("state", "up", "down", "score", "reply_count", "descendant_count", "version", "revision"),
    *("created_at", "edited_at"),
)

# Of a row `n` with the columns above, and its author `u` (JOIN_AUTHOR).
AUTHOR_COLUMNS = """
u.id::text AS author, u.handle, u.display_name, u.avatar_url,
CASE WHEN n.mention_count > 0 THEN (
  SELECT jsonb_agg(
    jsonb_build_object('user_id', m.user_id, 'handle', p.handle, 'display_name', p.display_name,
                       'start', m.start_offset, 'end', m.end_offset, 'text', m.text)
    ORDER BY m.start_offset)
  FROM comment_mentions m JOIN users p ON p.id = m.user_id
  WHERE m.comment_id = n.id::uuid
) END AS mentions
"""
AUTHOR_NAMES = ("author", "handle", "display_name", "avatar_url", "mentions")
JOIN_AUTHOR = "LEFT JOIN users u ON u.id = n.author_id"


def to_comment_fields(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """Return the fields of CommentRead."""
    author = row["author"]
    return {
        "id": row["id"],
        "article_id": row["article_id"],
        "parent_id": row["parent_id"],
        "depth": row["depth"],
        "author": author
        and {
            "id": author,
            "handle": row["handle"],
            "display_name": row["display_name"],
            "avatar_url": row["avatar_url"],
        },
        "body": row["body"],
        "html": row["html"],
        "mentions": row["mentions"] or [],
        "state": row["state"],
        "up": row["up"],
        "down": row["down"],
        "score": row["score"],
        "reply_count": row["reply_count"],
        "descendant_count": row["descendant_count"],
        "version": row["version"],
        "created_at": row["created_at"],
        "edited_at": row["edited_at"],
    }
