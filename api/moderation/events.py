"""Events of moderation."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentReported(Event):
    """A person reported a comment."""

    type: ClassVar[str] = "comment_reported"

    report_id: UUID
    comment_id: UUID
    article_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationDecided(Event):
    """A decision was made about what a person wrote, or about the person."""

    type: ClassVar[str] = "moderation_decided"

    log_id: UUID
    user_id: UUID
