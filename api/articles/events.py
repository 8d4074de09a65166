"""Events of articles."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.articles.changes import ArticleChange, PublicChange, PublicEvent
from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCreated(PublicEvent):
    """An article was created; the version is its first."""

    type: ClassVar[str] = "article_created"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(article=ArticleChange.CREATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEdited(PublicEvent):
    """Its title, text, address, tags or settings changed, or it was locked or unlocked."""

    type: ClassVar[str] = "article_edited"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(article=ArticleChange.EDITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDeleted(PublicEvent):
    """Its author deleted it, with its thread."""

    type: ClassVar[str] = "article_deleted"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(article=ArticleChange.REMOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRemoved(PublicEvent):
    """A moderator removed it, with its thread."""

    type: ClassVar[str] = "article_removed"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(article=ArticleChange.REMOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRestored(PublicEvent):
    """A moderator restored it, with its thread."""

    type: ClassVar[str] = "article_restored"

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(article=ArticleChange.RESTORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFlagged(Event):
    """Screening found something in an article, which was published all the same."""

    type: ClassVar[str] = "article_flagged"

    article_id: UUID
    author_id: UUID | None
    # Those of screening that found something.
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleModerated(Event):
    """A moderator changed or removed what another person wrote."""

    type: ClassVar[str] = "article_moderated"

    article_id: UUID
    author_id: UUID | None
    moderator_id: UUID
    is_removed: bool
    # Names of what changed; empty for a removal.
    changed: tuple[str, ...]
