"""Events of articles."""

from dataclasses import dataclass
from typing import ClassVar

from api.kit.db.events import ThreadEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCreated(ThreadEvent):
    """An article was created; the version is its first."""

    type: ClassVar[str] = "article_created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEdited(ThreadEvent):
    """Its title, text, address, tags or settings changed, or it was locked or unlocked."""

    type: ClassVar[str] = "article_edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDeleted(ThreadEvent):
    """Its author deleted it, with its thread."""

    type: ClassVar[str] = "article_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRemoved(ThreadEvent):
    """A moderator removed it, with its thread."""

    type: ClassVar[str] = "article_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRestored(ThreadEvent):
    """A moderator restored it, with its thread."""

    type: ClassVar[str] = "article_restored"
