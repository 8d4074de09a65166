"""Requests and responses about decisions and appeals."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output, Prose, Time, show_values
from api.moderation.sanctions.schemas import OwnSanctionRead
from api.users.schemas import PersonRead
from models import AppealState, LogAction, ModerationReason

_EXAMPLE = "I quoted another comment and did not mean it."


class AppealCreate(Input):
    """An appeal against a decision."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"log_id": "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60", "text": _EXAMPLE}]
        }
    )

    log_id: UUID = Field(description="The decision, from GET /v1/me/decisions.")
    text: Annotated[Prose, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")] = Field(
        description="Why the decision is wrong."
    )


class AppealDecision(Input):
    """What becomes of an appeal."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"is_granted": True, "reason": "It was a quotation."}]}
    )

    is_granted: StrictBool = Field(
        description="True undoes the decision: the comment is restored, the sanction is lifted."
    )
    reason: Annotated[Prose, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")] = (
        Field(description="What the person is told.")
    )


class AppealRead(Output):
    """Your appeal."""

    id: UUID
    log_id: UUID
    text: str = Field(examples=[_EXAMPLE])
    state: Annotated[AppealState, show_values(AppealState)]
    decision_reason: str = Field(
        description="Why it was granted or refused; empty while it is open.",
        examples=["It was a quotation."],
    )
    created_at: Time
    decided_at: Time | None = Field(description="Null while it is open.")


class DecisionRead(Output):
    """A decision about you, or about a comment of yours."""

    log_id: UUID = Field(description="For an appeal against it.")
    action: Annotated[str, show_values(LogAction)]
    reason: Annotated[ModerationReason, show_values(ModerationReason)] | None
    article_id: UUID | None = Field(description="Null if it is about you.")
    comment_id: UUID | None = Field(description="Null if it is about you.")
    sanction: OwnSanctionRead | None = Field(description="Null if it is about a comment.")
    created_at: Time


class OwnDecisionRead(DecisionRead):
    """A decision about you, or about a comment of yours, with your appeal."""

    appeal: AppealRead | None = Field(description="Null if you did not appeal.")
    can_be_appealed: bool


class AppealedDecisionRead(DecisionRead):
    """A decision that a person appeals against."""

    decided_by: PersonRead | None = Field(description="Null for the service and its operator.")


class StaffAppealRead(AppealRead):
    """An appeal as staff see it."""

    person: PersonRead = Field(description="Who appeals.")
    decision: AppealedDecisionRead


class OwnDecisionPage(Page[OwnDecisionRead]):
    """A page of decisions about you, the newest first."""


class AppealPage(Page[StaffAppealRead]):
    """A page of appeals, the oldest first."""
