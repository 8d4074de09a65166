"""Whose turn it is: pure rules, without I/O."""

from datetime import datetime
from uuid import UUID

from api.comments.errors import ClaimedByAnother
from models import ReviewItem


def require_unclaimed(item: ReviewItem | None, moderator_id: UUID | None, now: datetime) -> None:
    """Raise ClaimedByAnother while another moderator's claim on an item lasts."""
    if item is None or item.claimed_until is None or item.claimed_until <= now:
        return
    if item.claimed_by != moderator_id:
        raise ClaimedByAnother
