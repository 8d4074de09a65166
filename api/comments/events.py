"""What happens in a thread. Each of these has a version: a reader of the thread can see it."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCreated(Event):
    """Somebody replied."""

    type: ClassVar[str] = "comment_created"

    comment_id: UUID
    parent_id: UUID | None
    author_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(Event):
    """Somebody changed what they wrote; `mentioned_ids` are those who are new in it."""

    type: ClassVar[str] = "comment_edited"

    comment_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(Event):
    """A comment is no longer shown; `unlisted_ids` left the tree with it, itself perhaps too."""

    type: ClassVar[str] = "comment_deleted"

    comment_id: UUID
    unlisted_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadImported(Event):
    """Comments came from elsewhere, all at once; nobody is told of them."""

    type: ClassVar[str] = "thread_imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesRefreshed(Event):
    """Somebody in the thread is called otherwise now."""

    type: ClassVar[str] = "names_refreshed"
