"""A comment as readers see it: which columns are read, and how a row becomes the response.

Every surface that shows comments reads these columns, so what is hidden is hidden in PostgreSQL:
the text and the author of a comment that was deleted or removed never leave it.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    SQLColumnExpression,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.comments.visibility import shows_text
from api.kit.db.predicates import to_sql
from models import Comment, CommentMention, User

# The columns of a comment that its response has under the same name: those that everybody sees of a
# tombstone too, and those that are null unless the comment is visible. A new field belongs into one
# of them, into the schema and into the table; nothing else lists fields.
_ALWAYS = (
    *("id", "article_id", "parent_id", "depth", "state", "up", "down", "score"),
    *("reply_count", "descendant_count", "version", "created_at", "edited_at"),
)
_WHILE_VISIBLE = ("body", "html")
FIELDS = (*_ALWAYS, *_WHILE_VISIBLE)

# Bytes that a mention takes in a response: keys, ids, handle, and names in UTF-8.
MENTION_BYTES = 512
# The budget of one response. A thousand comments of 500 characters fit, as Markdown and as HTML; in
# JSON, where quotes and newlines are escaped, a page of text is at most twice as long.
MAX_PAGE_BYTES = 1024 * 1024
# Comments that are listed by their ids at once: as many as a moderator acts on at once.
MAX_VISIBLE = 100


def select_columns(
    comment: type[Comment] = Comment, *, is_shown: ColumnElement[bool] | None = None
) -> dict[str, SQLColumnExpression[Any]]:
    """Return what is read of a comment, by name: FIELDS, and what the rest is made of.

    `is_shown` says whether that is its text and author too; by default, whether the public sees it.
    `size` is the bytes that its author decides on. PostgreSQL knows the length of a text that is
    stored out of line without reading it, so it needs no column of its own.
    """
    is_shown = shows_text(comment) if is_shown is None else is_shown
    mention_count = case((is_shown, col(comment.mention_count)), else_=0)
    body = func.octet_length(comment.body, type_=Integer())
    html = func.octet_length(comment.html, type_=Integer())
    return {
        **{name: col(getattr(comment, name)) for name in _ALWAYS},
        **{name: case((is_shown, col(getattr(comment, name)))) for name in _WHILE_VISIBLE},
        "revision": col(comment.revision),
        "author_id": case((is_shown, col(comment.author_id))),
        "mention_count": mention_count,
        "size": case((is_shown, body + html), else_=0)
        + MENTION_BYTES * cast(mention_count, Integer()),
    }


def select_author(
    row: Callable[[str], ColumnElement[Any]], author: type[User] = User
) -> tuple[ColumnElement[bool], dict[str, SQLColumnExpression[Any]]]:
    """Return the join of the author, and what is read of author and mentions, by name.

    `row` gives the columns of a row with those of `select_columns`.
    """
    person = aliased(User, name="person")
    mention = {
        "user_id": col(CommentMention.user_id),
        "handle": col(person.handle),
        "display_name": col(person.display_name),
        "start": col(CommentMention.start_offset),
        "end": col(CommentMention.end_offset),
        "text": col(CommentMention.text),
    }
    pairs = [part for name, value in mention.items() for part in (literal(name, Text()), value)]
    mentions = (
        select(
            func.jsonb_agg(
                aggregate_order_by(
                    func.jsonb_build_object(*pairs), col(CommentMention.start_offset)
                ),
                type_=JSONB(),
            )
        )
        .join(person, col(person.id) == col(CommentMention.user_id))
        .where(col(CommentMention.comment_id) == row("id"))
        .scalar_subquery()
    )
    columns: dict[str, SQLColumnExpression[Any]] = {
        "author": col(author.id),
        "handle": col(author.handle),
        "display_name": col(author.display_name),
        "avatar_url": col(author.avatar_url),
        "mentions": case((row("mention_count") > 0, mentions)),
    }
    return col(author.id) == row("author_id"), columns


def _to_list(columns: Mapping[str, SQLColumnExpression[Any]]) -> str:
    return ", ".join(f"{to_sql(value)} AS {name}" for name, value in columns.items())


# The same as text: of a row `c` of comments; of a row `n` with these columns, and its author `u`.
_COLUMNS = select_columns(aliased(Comment, name="c"))
_IS_AUTHOR, _AUTHOR_COLUMNS = select_author(
    lambda name: literal_column(f"n.{name}"), aliased(User, name="u")
)
NAMES = tuple(_COLUMNS)
COLUMNS = _to_list(_COLUMNS)
AUTHOR_NAMES = tuple(_AUTHOR_COLUMNS)
AUTHOR_COLUMNS = _to_list(_AUTHOR_COLUMNS)
JOIN_AUTHOR = f"LEFT JOIN users u ON {to_sql(_IS_AUTHOR)}"


def to_comment_fields(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """Return the fields of CommentRead, of a row with FIELDS and AUTHOR_NAMES."""
    return add_author({name: row[name] for name in FIELDS}, *map(row.__getitem__, AUTHOR_NAMES))


def add_author(
    fields: dict[str, Any],
    author_id: UUID | None,
    handle: str,
    display_name: str,
    avatar_url: str | None,
    mentions: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    """Add to FIELDS what else CommentRead has: the author and the mentions, as in AUTHOR_NAMES."""
    fields["author"] = author_id and {
        "id": author_id,
        "handle": handle,
        "display_name": display_name,
        "avatar_url": avatar_url,
    }
    fields["mentions"] = mentions or []
    return fields
