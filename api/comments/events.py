"""Events of comments and threads."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event, ThreadEvent
from models import CommentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCreated(ThreadEvent):
    """A comment was created: a reply to the article, or to the comment `parent_id`.

    `mentioned_ids` are the people who are notified of their mention (`mentions/recipients.py`).
    """

    type: ClassVar[str] = "comment_created"

    comment_id: UUID
    parent_id: UUID | None
    author_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(ThreadEvent):
    """The text of a comment changed.

    `mentioned_ids` are the people who are notified: of the new text's, those not mentioned before.
    """

    type: ClassVar[str] = "comment_edited"

    comment_id: UUID
    mentioned_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested(Event):
    """Screening wants a moderator to look at comments that were just written, edited or imported.

    They are shown meanwhile, unless they are held.
    """

    type: ClassVar[str] = "review_requested"

    article_id: UUID
    comment_ids: tuple[UUID, ...]
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentHeld(ThreadEvent):
    """A comment was stored that nobody sees until it is approved (CommentsShown)."""

    type: ClassVar[str] = "comment_held"

    comment_id: UUID
    author_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsShown(ThreadEvent):
    """Comments were approved or restored: everybody sees them now.

    `published_ids` are those of them that were never visible before, of which people are notified.
    `listed_ids` came into the tree: of the comments those that were not placeholders, and with them
    the placeholders above that had left it.
    """

    type: ClassVar[str] = "comments_shown"

    comment_ids: tuple[UUID, ...]
    listed_ids: tuple[UUID, ...]
    published_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsHidden(ThreadEvent):
    """Comments were hidden until a moderator has looked at them.

    `unlisted_ids` left the tree: of the comments those without listed replies, and with them the
    placeholders above that held nothing else. The other comments are placeholders now.
    """

    type: ClassVar[str] = "comments_hidden"

    comment_ids: tuple[UUID, ...]
    unlisted_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsRemoved(ThreadEvent):
    """A moderator removed comments, or refused pending ones; `unlisted_ids` as when hidden."""

    type: ClassVar[str] = "comments_removed"

    comment_ids: tuple[UUID, ...]
    unlisted_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedByDelete(Event):
    """A moderator deleted another person's comment; CommentsRemoved says what readers see.

    `state` is what it was before, `revision` that of the comment afterwards.
    """

    type: ClassVar[str] = "removed_by_delete"

    comment_id: UUID
    article_id: UUID
    author_id: UUID | None
    moderator_id: UUID
    state: CommentState
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(ThreadEvent):
    """Comments were deleted by their author; `unlisted_ids` as when they are hidden."""

    type: ClassVar[str] = "comment_deleted"

    # With a default: rows of earlier releases have one `comment_id`, which is not read any more.
    comment_ids: tuple[UUID, ...] = ()
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
