"""Events of scores."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.articles.changes import PublicChange, PublicEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresChanged(PublicEvent):
    """Votes were counted: the scores of the article or of these comments changed."""

    type: ClassVar[str] = "scores_changed"

    comment_ids: tuple[UUID, ...]

    def get_public_change(self) -> PublicChange:
        """Return what everybody can see of it."""
        return PublicChange(scored=self.comment_ids)
