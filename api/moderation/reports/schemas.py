"""Requests and responses of reports."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from api.kit.http.schemas import Input, Output, Prose, Time
from models import ModerationReason

Note = Annotated[Prose, StringConstraints(max_length=1000)]

# `open` while no moderator has decided.
ReportState = Literal["open", "upheld", "dismissed"]


class ReportCreate(Input):
    """A report."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "spam", "note": "Sells watches."}]}
    )

    reason: ModerationReason = Field(description="What is wrong.")
    note: Note = Field(default="", description="For moderators only.")


class ReportRead(Output):
    """Your report. Moderators see who made it, and nobody else does."""

    id: UUID
    comment_id: UUID
    reason: ModerationReason
    note: str = Field(examples=["Sells watches."])
    state: ReportState
    created_at: Time
