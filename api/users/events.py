"""What happens to people."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """Somebody made an account."""

    type: ClassVar[str] = "user_registered"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """A person is called otherwise, or looks otherwise, wherever their name stands."""

    type: ClassVar[str] = "profile_changed"

    user_id: UUID
