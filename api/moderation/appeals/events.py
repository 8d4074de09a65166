"""Events of appeals."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided(Event):
    """An appeal of a person was granted or refused."""

    type: ClassVar[str] = "appeal_decided"

    appeal_id: UUID
    user_id: UUID
