"""Events of scores."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import ThreadEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresChanged(ThreadEvent):
    """Votes were counted: the scores of the article or of these comments changed."""

    type: ClassVar[str] = "scores_changed"

    comment_ids: tuple[UUID, ...]
