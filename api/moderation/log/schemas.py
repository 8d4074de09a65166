"""Responses of the log."""

from typing import Any
from uuid import UUID

from pydantic import Field

from api.comments.schemas import ArticleLink
from api.kit.http.pagination import Page
from api.kit.http.schemas import Output, Time
from api.users.schemas import PersonRead
from models import CommentState, LogAction, ModerationReason


class LogEntryRead(Output):
    """Something that staff, or the service itself, did."""

    id: UUID
    action: LogAction
    actor: PersonRead | None = Field(
        description="Null for the service itself and for the command line."
    )
    comment_id: UUID | None
    article_id: UUID | None
    user: PersonRead | None = Field(description="Who is affected: for a comment, its author.")
    reason: ModerationReason | None
    note: str = Field(examples=["Third time today."])
    before: dict[str, Any] = Field(
        description="What was so before: ids, numbers and names of states.",
        examples=[{"state": "visible"}],
    )
    after: dict[str, Any] = Field(examples=[{"state": "removed"}])
    undoes_id: UUID | None = Field(description="The entry that this one undid.")
    created_at: Time


class LogPage(Page[LogEntryRead]):
    """A page of the moderation log."""


class PublicLogEntry(Output):
    """Something that was hidden, removed or shown again. It names no person and has no text."""

    id: UUID
    action: LogAction
    comment_id: UUID
    article: ArticleLink
    state: CommentState = Field(description="The state of the comment afterwards.")
    reason: ModerationReason | None
    is_automatic: bool = Field(description="Whether reports led to it without a moderator.")
    undoes_id: UUID | None = Field(description="The entry that this one undid.")
    created_at: Time


class PublicLogPage(Page[PublicLogEntry]):
    """A page of the public log."""
