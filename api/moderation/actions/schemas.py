"""Requests and responses of decisions."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from api.kit.http.schemas import Input, Output
from api.moderation.reports.schemas import Note
from models import CommentState, ModerationReason

MAX_TARGETS = 100


class ModerationAction(StrEnum):
    """What a moderator decides about a comment."""

    APPROVE = "approve"
    HIDE = "hide"
    REMOVE = "remove"
    RESTORE = "restore"
    ESCALATE = "escalate"
    UNDO = "undo"


_NEED_REASON = frozenset({ModerationAction.HIDE, ModerationAction.REMOVE})


class ActionTarget(Input):
    """A comment to decide about, as the moderator saw it."""

    comment_id: UUID
    etag: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The `etag` of the comment as you got it, or `*` for whatever it is now.",
        examples=['"1-9f86d081884c7d65-0198f2c5-6f3a-7000-8000-000000000001"'],
    )


def _refuse_doubles(targets: list[ActionTarget]) -> list[ActionTarget]:
    if len({target.comment_id for target in targets}) < len(targets):
        raise ValueError("Name each comment only once.")
    return targets


class ActionCreate(Input):
    """One decision about one or many comments."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": "remove",
                    "reason": "spam",
                    "note": "Third time today.",
                    "targets": [
                        {"comment_id": "0198f2c5-6f3a-7000-8000-000000000001", "etag": "*"}
                    ],
                }
            ]
        }
    )

    action: ModerationAction
    reason: ModerationReason | None = Field(
        default=None, description="What is wrong. Required to hide or to remove."
    )
    note: Note = Field(default="", description="For moderators only.")
    targets: Annotated[
        list[ActionTarget],
        Field(min_length=1, max_length=MAX_TARGETS, description="Each comment once."),
        AfterValidator(_refuse_doubles),
    ]

    @model_validator(mode="after")
    def _require_reason(self) -> "ActionCreate":
        if self.reason is None and self.action in _NEED_REASON:
            raise ValueError(f"Send a reason to {self.action.value} comments.")
        return self


class TargetProblem(Output):
    """Why a decision was not carried out for a comment."""

    status: int = Field(ge=400, le=599, examples=[412])
    code: str = Field(examples=["precondition_failed"])
    title: str = Field(examples=["If-Match does not match"])
    detail: str = Field(examples=["Get the resource again, and send its new ETag in If-Match."])


class ActionResult(Output):
    """What became of one comment."""

    comment_id: UUID
    is_done: bool
    state: CommentState | None = Field(description="The state now; null if it was not carried out.")
    etag: str | None = Field(
        description="For the next decision; null if it was not carried out.",
        examples=['"2-9f86d081884c7d65-0198f2c5-6f3a-7000-8000-000000000001"'],
    )
    log_id: UUID | None = Field(description="The log entry; null if it was not carried out.")
    problem: TargetProblem | None = Field(description="Null if it was carried out.")


class ActionResults(Output):
    """What became of each comment, in the order of the request."""

    data: list[ActionResult]
