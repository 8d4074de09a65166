"""Rows of the log as responses."""

from sqlalchemy import RowMapping

from api.comments.schemas import ArticleLink
from api.moderation.log.schemas import LogEntryRead, PublicLogEntry
from api.users.schemas import PersonRead

_FIELDS = (
    *("id", "action", "comment_id", "article_id", "reason", "note", "before", "after"),
    *("undoes_id", "created_at"),
)


def to_log_entry(row: RowMapping) -> LogEntryRead:
    """Return an entry as moderators see it."""
    fields = {name: row[name] for name in _FIELDS}
    return LogEntryRead(
        **fields, actor=find_person(row, "actor"), user=find_person(row, "affected")
    )


def to_public_entry(row: RowMapping) -> PublicLogEntry:
    """Return an entry as everybody sees it."""
    return PublicLogEntry(
        id=row["id"],
        action=row["action"],
        comment_id=row["comment_id"],
        article=ArticleLink(id=row["article_id"], slug=row["slug"], title=row["title"]),
        state=row["state_after"],
        reason=row["reason"],
        is_automatic=row["is_automatic"],
        undoes_id=row["undoes_id"],
        created_at=row["created_at"],
    )


def find_person(row: RowMapping, role: str) -> PersonRead | None:
    """Return the person whose columns a row has: `<role>_id`, `<role>_handle` and so on.

    None for nobody, and for the author of a deleted comment: its row has their id alone.
    """
    if row[f"{role}_handle"] is None:
        return None
    return PersonRead(
        id=row[f"{role}_id"],
        handle=row[f"{role}_handle"],
        display_name=row[f"{role}_display_name"],
        avatar_url=row[f"{role}_avatar_url"],
    )
