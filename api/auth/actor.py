"""Who is asking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from models import Role


class ActorKind(StrEnum):
    """How far somebody is trusted with our resources."""

    ANONYMOUS = "anonymous"
    NEWCOMER = "newcomer"
    MEMBER = "member"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who is logged in, as their row stood when the request began."""

    id: UUID
    session_id: UUID
    handle: str
    display_name: str
    avatar_url: str | None
    role: Role
    created_at: datetime

    @property
    def is_staff(self) -> bool:
        """Tell whether they may act on what others wrote."""
        return self.role in (Role.MODERATOR, Role.ADMIN)
