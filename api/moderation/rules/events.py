"""Events of dry runs."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunRequested(Event):
    """A moderator wants to know what rules would have found."""

    type: ClassVar[str] = "dry_run_requested"

    dry_run_id: UUID
