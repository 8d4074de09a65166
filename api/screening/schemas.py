"""Requests and responses about rules and settings of screening."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Line, Output, Prose, Time
from models import Audience, RuleAction, RuleKind
from models.screening import (
    MAX_HELD_FIRST_COMMENTS,
    MAX_LINKS,
    MAX_NEWCOMER_COMMENTS,
    MAX_REPEAT_WINDOW,
    MAX_REPEATS,
    MAX_REPORT_THRESHOLD,
    MAX_RULE_NOTE,
    MAX_RULE_VALUE,
)

Value = Annotated[Line, StringConstraints(min_length=1, max_length=MAX_RULE_VALUE)]
Note = Annotated[Prose, StringConstraints(max_length=MAX_RULE_NOTE)]

_VALUE = (
    "A word, which may contain spaces and is found in any spelling that readers take for it; a "
    "pattern in RE2's syntax; or a domain, which covers all below it."
)
_ACTION = (
    "`reject`: the author cannot publish the text. `hold`: it waits for a moderator. `flag`: it is "
    "published, and moderators look at it. `allow`, for domains: links to it are not counted."
)


class RuleCreate(Input):
    """A new rule."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "word", "value": "blorp", "action": "hold", "note": "", "is_enabled": True}
            ]
        }
    )

    kind: RuleKind
    value: Value = Field(description=_VALUE)
    action: RuleAction = Field(description=_ACTION)
    note: Note = Field(default="", description="For other moderators.")
    is_enabled: StrictBool = Field(default=True, description="Whether it applies to new texts.")


class RuleUpdate(Input):
    """Changes to a rule. What is left out or null stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_enabled": False}]})

    value: Value | None = Field(default=None, description=_VALUE)
    action: RuleAction | None = Field(default=None, description=_ACTION)
    note: Note | None = Field(default=None, description="For other moderators.")
    is_enabled: StrictBool | None = Field(
        default=None, description="Whether it applies to new texts."
    )


class RuleRead(Output):
    """A rule of screening."""

    id: UUID
    kind: RuleKind
    value: str = Field(description=_VALUE, examples=["blorp"])
    action: RuleAction = Field(description=_ACTION)
    note: str = Field(description="For other moderators.", examples=[""])
    is_enabled: bool = Field(description="Whether it applies to new texts.")
    created_at: Time
    updated_at: Time


class RulePage(Page[RuleRead]):
    """A page of rules."""


class RuleImport(Output):
    """What an import of rules did."""

    added: int = Field(ge=0, description="Number of new rules.")
    changed: int = Field(ge=0, description="Number of known rules that are different now.")
    unchanged: int = Field(ge=0, description="Number of rules that were known as they are.")


class ScreeningSettingsRead(Output):
    """How strict the forum is. Null and 0 mean that something is off."""

    held_first_comments: int = Field(
        description="Comments of a person are held until so many of theirs were published."
    )
    newcomer_approved_comments: int = Field(
        description="Whoever has so many published comments is no newcomer any more, and nobody "
        "else: the limits for newcomers end with them. With 0 they end a day after signing up."
    )
    max_links: int | None = Field(description="A text with more links is held.")
    newcomer_max_links: int | None = Field(
        description="The same for newcomers, instead of max_links."
    )
    max_repeats: int | None = Field(
        description="How often one person may send the same text; then it is held."
    )
    repeat_window_seconds: int = Field(description="The time within which repeats are counted.")
    revisions_visible_to: Audience = Field(description="Who may read earlier texts of comments.")
    public_log: bool = Field(
        description="Whether everybody can read which comments were removed, without their texts."
    )
    report_threshold: float | None = Field(
        description="The weight of open reports at which a comment is hidden until reviewed.",
        examples=[3.0],
    )
    updated_at: Time | None = Field(description="Null if never changed.")


class ScreeningSettingsUpdate(Input):
    """Changes to the settings. What is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"max_links": 3, "held_first_comments": 2}]}
    )

    held_first_comments: int = Field(default=0, strict=True, ge=0, le=MAX_HELD_FIRST_COMMENTS)
    newcomer_approved_comments: int = Field(default=0, strict=True, ge=0, le=MAX_NEWCOMER_COMMENTS)
    max_links: int | None = Field(default=None, strict=True, ge=0, le=MAX_LINKS)
    newcomer_max_links: int | None = Field(default=None, strict=True, ge=0, le=MAX_LINKS)
    max_repeats: int | None = Field(default=None, strict=True, ge=1, le=MAX_REPEATS)
    repeat_window_seconds: int = Field(default=3600, strict=True, ge=1, le=MAX_REPEAT_WINDOW)
    revisions_visible_to: Audience = Audience.EVERYBODY
    public_log: StrictBool = False
    report_threshold: float | None = Field(default=None, strict=True, ge=1, le=MAX_REPORT_THRESHOLD)
