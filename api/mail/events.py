"""Events of mail."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event
from models import MailFrequency


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestsDue(Event):
    """These people are due a digest of what came into their inboxes between two numbers.

    `user_ids[i]` of the notifications with numbers above `after[i]`, up to `up_to[i]`.
    """

    type: ClassVar[str] = "digests_due"

    frequency: MailFrequency
    user_ids: tuple[UUID, ...]
    after: tuple[int, ...]
    up_to: tuple[int, ...]
