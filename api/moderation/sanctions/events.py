"""Events of sanctions."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionChanged(Event):
    """A person was sanctioned, or a sanction was lifted."""

    type: ClassVar[str] = "sanction_changed"

    sanction_id: UUID
    user_id: UUID
