"""Responses of the figures of moderation."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.kit.http.schemas import Output
from models import Phase

Count = Annotated[int, Field(ge=0)]


class DayRead(Output):
    """The figures of one day in UTC."""

    day: date = Field(examples=["2026-11-24"])
    received: Count = Field(description="Comments that were stored, in whatever state.")
    held: Count = Field(description="Comments that screening held.")
    flagged: Count = Field(description="Comments that screening published and flagged.")
    reported: Count = Field(description="Comments that a report put into the queue.")
    approved: Count
    hidden: Count
    removed: Count
    restored: Count
    decided: Count = Field(description="Items of the queue that moderators decided.")
    median_seconds: float | None = Field(
        description="Time to decision: half of the items took no longer. Null without any.",
        examples=[340.5],
    )
    slow_seconds: float | None = Field(
        description="Time to decision: nine of ten items took no longer. Null without any.",
        examples=[7200.0],
    )


class RuleFiguresRead(Output):
    """What became of the texts that a rule decided about."""

    phase: Phase
    rule_id: UUID | None
    rule: str = Field(examples=["word: watches"])
    held: Count
    flagged: Count
    rejected: Count
    approved: Count = Field(description="Held or flagged, and approved by a moderator.")
    upheld: Count = Field(description="Held or flagged, and hidden or removed by a moderator.")
    precision: float | None = Field(
        ge=0,
        le=1,
        examples=[0.8],
        description="The upheld share of what was decided. Null without decisions.",
    )


class StatisticsRead(Output):
    """Figures of moderation."""

    days: list[DayRead]
    rules: list[RuleFiguresRead] = Field(description="The 200 rules that decided most often.")
