"""What happens to articles."""

from dataclasses import dataclass
from typing import ClassVar

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCreated(Event):
    """An article was published."""

    type: ClassVar[str] = "article_created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEdited(Event):
    """Its text, its tags or whether one may reply changed."""

    type: ClassVar[str] = "article_edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDeleted(Event):
    """It is gone, with its thread."""

    type: ClassVar[str] = "article_deleted"
