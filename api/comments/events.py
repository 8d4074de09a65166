"""Events of comments and threads."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import ThreadEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCreated(ThreadEvent):
    """A comment was created: a reply to the article, or to the comment `parent_id`."""

    type: ClassVar[str] = "comment_created"

    comment_id: UUID
    parent_id: UUID | None
    author_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(ThreadEvent):
    """The text of a comment changed; `mentioned_ids` are those who are newly mentioned."""

    type: ClassVar[str] = "comment_edited"

    comment_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(ThreadEvent):
    """A comment was deleted; `unlisted_ids` left the tree with it, perhaps itself as well."""

    type: ClassVar[str] = "comment_deleted"

    comment_id: UUID
    unlisted_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadImported(ThreadEvent):
    """Comments were imported from elsewhere, all in one version; nobody is notified of them."""

    type: ClassVar[str] = "thread_imported"

    comment_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesRefreshed(ThreadEvent):
    """The name or picture of a person who is shown in the thread changed."""

    type: ClassVar[str] = "names_refreshed"
