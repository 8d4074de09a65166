"""Requests and responses about sanctions."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Moment, Output, Prose, Time, show_values
from api.users.schemas import PersonRead
from models import TOLD, ModerationReason, SanctionKind

MAX_TEXT = 1000

Message = Annotated[Prose, StringConstraints(max_length=MAX_TEXT)]


class SanctionCreate(Input):
    """A sanction of a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "silence",
                    "reason": "abuse",
                    "message": "Please read the rules before you write again.",
                    "note": "The third complaint this week.",
                    "ends_at": "2099-01-31T12:00:00Z",
                }
            ]
        }
    )

    kind: SanctionKind = Field(
        description="`note` is for staff only. `warning` is shown to the person. `silence` lets "
        "them read only, for a time; `ban` also ends all their sessions. `shadow_ban` shows what "
        "they write to them alone. `pre_moderation` holds what they write for a moderator."
    )
    reason: ModerationReason
    message: Message = Field(
        default="", description="What the person is told; with a warning, silence or ban only."
    )
    note: Message = Field(default="", description="For staff only.")
    ends_at: Moment | None = Field(
        default=None,
        description="Required for a silence; a note and a warning have none. Null: until lifted.",
    )

    @model_validator(mode="after")
    def _check_kind(self) -> "SanctionCreate":
        if self.message and self.kind not in TOLD:
            raise ValueError("Send `note`: the person is not told of a sanction of this kind.")
        if self.kind is SanctionKind.NOTE and not self.note:
            raise ValueError("Send the text of the note as `note`.")
        if self.kind is SanctionKind.SILENCE and self.ends_at is None:
            raise ValueError("Send `ends_at`: a silence is for a time.")
        has_no_end = self.kind in (SanctionKind.NOTE, SanctionKind.WARNING)
        if has_no_end and self.ends_at is not None:
            raise ValueError("Leave `ends_at` out: a sanction of this kind has no end.")
        return self


class OwnSanctionRead(Output):
    """A sanction as the person is told of it."""

    id: UUID
    log_id: UUID | None = Field(description="The decision, for an appeal against it.")
    kind: Annotated[SanctionKind, show_values(SanctionKind)]
    reason: Annotated[ModerationReason, show_values(ModerationReason)]
    message: str = Field(examples=["Please read the rules before you write again."])
    starts_at: Time
    ends_at: Time | None = Field(description="Null without an end.")
    lifted_at: Time | None = Field(description="Null unless it was lifted.")
    is_active: bool


class SanctionRead(OwnSanctionRead):
    """A sanction as staff see it."""

    note: str = Field(description="For staff only.", examples=["The third complaint this week."])
    created_by: PersonRead | None = Field(description="Null for the operator of the forum.")
    lifted_by: PersonRead | None = Field(description="Null also for the operator of the forum.")


class SanctionPage(Page[SanctionRead]):
    """A page of a person's sanctions, the newest first."""


class OwnSanctionPage(Page[OwnSanctionRead]):
    """A page of your sanctions, the newest first."""
