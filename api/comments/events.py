"""Events of comments and threads."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.articles.changes import PublicChange, PublicEvent
from api.kit.db.events import Event
from models import CommentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCreated(PublicEvent):
    """A comment was created: a reply to the article, or to the comment `parent_id`.

    `mentioned_ids` are the people who are notified of their mention (`mentions/recipients.py`).
    """

    type: ClassVar[str] = "comment_created"

    comment_id: UUID
    parent_id: UUID | None
    author_id: UUID
    mentioned_ids: tuple[UUID, ...]

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(created=(self.comment_id,))

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comment."""
        return (self.comment_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(PublicEvent):
    """The text of a comment changed.

    `mentioned_ids` are the people who are notified: of the new text's, those not mentioned before.
    `is_visible` says whether everybody sees the new text.
    """

    type: ClassVar[str] = "comment_edited"

    comment_id: UUID
    mentioned_ids: tuple[UUID, ...]
    # With a default: rows of earlier releases lack it, and say nothing of a text that is hidden.
    is_visible: bool = False

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(edited=(self.comment_id,) if self.is_visible else ())

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comment: a placeholder shows when it was edited."""
        return (self.comment_id,)


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
class CommentHeld(PublicEvent):
    """A comment was stored that nobody sees until it is approved (CommentsShown)."""

    type: ClassVar[str] = "comment_held"

    comment_id: UUID
    author_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsShown(PublicEvent):
    """Comments were approved or restored: everybody sees them now.

    `published_ids` are those of them that were never visible before, of which people are notified.
    `listed_ids` came into the tree: of the comments those that were not placeholders, and with them
    the placeholders above that had left it.
    """

    type: ClassVar[str] = "comments_shown"

    comment_ids: tuple[UUID, ...]
    listed_ids: tuple[UUID, ...]
    published_ids: tuple[UUID, ...]

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        restored = tuple(each for each in self.comment_ids if each not in set(self.published_ids))
        return PublicChange(created=self.published_ids, restored=restored)

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comments, and the placeholders that came with them."""
        return (*self.comment_ids, *self.listed_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsHidden(PublicEvent):
    """Comments were hidden until a moderator has looked at them.

    `unlisted_ids` left the tree: of the comments those without listed replies, and with them the
    placeholders above that held nothing else. The other comments are placeholders now.
    `withdrawn_ids` are those of the comments that everybody could see; rows of earlier releases
    lack them.
    """

    type: ClassVar[str] = "comments_hidden"

    comment_ids: tuple[UUID, ...]
    unlisted_ids: tuple[UUID, ...]
    withdrawn_ids: tuple[UUID, ...] = ()

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(removed=self.withdrawn_ids)

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comments, and the placeholders that left with them."""
        return (*self.comment_ids, *self.unlisted_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentsRemoved(PublicEvent):
    """A moderator removed comments, or refused pending ones; the other ids as when hidden."""

    type: ClassVar[str] = "comments_removed"

    comment_ids: tuple[UUID, ...]
    unlisted_ids: tuple[UUID, ...]
    withdrawn_ids: tuple[UUID, ...] = ()

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(removed=self.withdrawn_ids)

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comments, and the placeholders that left with them."""
        return (*self.comment_ids, *self.unlisted_ids)


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
class CommentDeleted(PublicEvent):
    """Comments were deleted by their author; the other ids as when they are hidden."""

    type: ClassVar[str] = "comment_deleted"

    # With a default: rows of earlier releases have one `comment_id`, which is not read any more.
    comment_ids: tuple[UUID, ...] = ()
    unlisted_ids: tuple[UUID, ...]
    withdrawn_ids: tuple[UUID, ...] = ()

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(removed=self.withdrawn_ids)

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comments, and the placeholders that left with them."""
        return (*self.comment_ids, *self.unlisted_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadImported(PublicEvent):
    """Comments were imported from elsewhere, all in one version; nobody is notified of them."""

    type: ClassVar[str] = "thread_imported"

    comment_ids: tuple[UUID, ...] = ()

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(reload=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesRefreshed(PublicEvent):
    """The name or picture of a person who is shown in the thread changed."""

    type: ClassVar[str] = "names_refreshed"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(reload=True)
