"""Sanctions as they are shown."""

from datetime import datetime

from api.moderation.sanctions.policy import is_active
from api.moderation.sanctions.queries import SanctionRow
from api.moderation.sanctions.schemas import OwnSanctionRead, SanctionRead
from api.users.schemas import PersonRead
from models import Sanction, User


def to_own_sanction(sanction: Sanction, now: datetime) -> OwnSanctionRead:
    """Return a sanction as its person sees it: without the moderator."""
    return OwnSanctionRead(
        id=sanction.id,
        log_id=sanction.log_id,
        kind=sanction.kind,
        reason=sanction.reason,
        message=sanction.message,
        starts_at=sanction.starts_at,
        ends_at=sanction.ends_at,
        lifted_at=sanction.lifted_at,
        is_active=is_active(sanction, now),
    )


def to_sanction(row: SanctionRow, now: datetime) -> SanctionRead:
    """Return a sanction as staff see it."""
    return SanctionRead(
        **to_own_sanction(row.sanction, now).model_dump(),
        note=row.sanction.note,
        created_by=_to_person(row.created_by),
        lifted_by=_to_person(row.lifted_by),
    )


def _to_person(user: User | None) -> PersonRead | None:
    return None if user is None else PersonRead.model_validate(user)
