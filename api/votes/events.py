"""What happens to scores."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresChanged(Event):
    """The article or some of its comments have other scores now."""

    type: ClassVar[str] = "scores_changed"

    comment_ids: tuple[UUID, ...]
