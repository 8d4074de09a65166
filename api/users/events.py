"""Events of users."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """A user was created, by signing up or by an import."""

    type: ClassVar[str] = "user_registered"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """The handle, name or picture of a user changed, wherever it is shown."""

    type: ClassVar[str] = "profile_changed"

    user_id: UUID
