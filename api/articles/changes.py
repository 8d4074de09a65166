"""What a new version of an article means to the public: for streams, delta sync and webhooks."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from api.kit.db.events import ThreadEvent


class ArticleChange(StrEnum):
    """What happened to the article itself."""

    CREATED = "created"
    EDITED = "edited"
    REMOVED = "removed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicChange:
    """What everybody can see of a change: ids, never texts. Without any, only the version is new.

    It is what happened then. What is public may have changed since, so whoever shows more than the
    ids reads it again.
    """

    # Comments that can be read for the first time.
    created: tuple[UUID, ...] = ()
    edited: tuple[UUID, ...] = ()
    # Comments that can be read again.
    restored: tuple[UUID, ...] = ()
    # Comments that can no longer be read: deleted, hidden or removed.
    removed: tuple[UUID, ...] = ()
    # Comments with a new score.
    scored: tuple[UUID, ...] = ()
    article: ArticleChange | None = None
    # More than can be listed: an import, or a new name or picture of a person in the thread.
    reload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvent(ThreadEvent):
    """A change of an article or of its thread that tells what the public sees of it."""

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it: nothing but the version, if not overridden."""
        return PublicChange()

    def get_touched_ids(self) -> tuple[UUID, ...]:
        """Return the comments whose nodes in the tree may be new, different or gone, scores aside.

        Placeholders are among them, and comments that nobody but their author ever saw: whoever
        shows them reads first what is public.
        """
        return ()
