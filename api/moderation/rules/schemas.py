"""Requests and responses about dry runs."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from api.kit.http.schemas import Input, Output, Time
from api.screening.schemas import Value
from models import RuleAction, RuleKind
from models.dry_runs import MAX_DRY_RUN_COMMENTS

MAX_RULES = 500


class DryRunRule(Input):
    """A rule that is only tried."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "word", "value": "blorp", "action": "hold"}]}
    )

    kind: RuleKind
    value: Value
    action: RuleAction


class DryRunCreate(Input):
    """What to try, and on how many of the latest comments."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"rules": [{"kind": "word", "value": "blorp", "action": "hold"}], "limit": 1000}
            ]
        }
    )

    rules: Annotated[list[DryRunRule], Field(max_length=MAX_RULES)] = Field(
        default=[], description="Rules that need not exist."
    )
    rule_ids: Annotated[list[UUID], Field(max_length=MAX_RULES)] = Field(
        default=[], description="Rules that exist, switched on or not."
    )
    limit: int = Field(
        default=1000,
        strict=True,
        ge=1,
        le=MAX_DRY_RUN_COMMENTS,
        description="Number of the latest comments.",
    )


class DryRunMatch(Output):
    """What would have been found in a comment."""

    comment_id: UUID
    kind: RuleKind
    value: str = Field(examples=["blorp"])
    action: RuleAction
    start: int | None = Field(
        description="Position in the body, in Unicode code points; null for a link whose host is "
        "written in another way.",
        examples=[4],
    )
    end: int | None = Field(description="Position after it.", examples=[9])


class DryRunRead(Output):
    """A dry run, and what it found so far."""

    id: UUID
    is_done: bool = Field(description="Whether all comments were looked at.")
    limit: int = Field(description="Number of comments to look at, if there are so many.")
    scanned: int = Field(description="Number of comments that were looked at.", ge=0)
    matched: int = Field(description="Number of comments in which something was found.", ge=0)
    matches: list[DryRunMatch] = Field(
        description="The first 1,000 findings, from the newest comment to the oldest."
    )
    created_at: Time
    finished_at: Time | None = Field(description="Null while it runs.")
