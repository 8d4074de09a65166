"""Requests and responses about settings of articles and tags."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from api.kit.http.schemas import Input, Moment, Output, Prose, Time
from models import MAX_NOTICE_LENGTH, MAX_SLOW_MODE_SECONDS

Notice = Annotated[
    Prose, StringConstraints(min_length=1, max_length=MAX_NOTICE_LENGTH, pattern=r"\S")
]


class ArticleSettingsPut(Input):
    """All settings of an article. A setting that is left out gets its default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"slow_mode_seconds": 60, "notice": "Please keep to the subject of the article."}
            ]
        }
    )

    is_locked: StrictBool = Field(
        default=False, description="True closes the discussion: only moderators can reply."
    )
    closes_at: Moment | None = Field(
        default=None, description="When the discussion closes by itself; null for never."
    )
    slow_mode_seconds: int = Field(
        default=0,
        strict=True,
        ge=0,
        le=MAX_SLOW_MODE_SECONDS,
        description="Seconds between two comments of one person; 0 is off.",
    )
    is_pre_moderated: StrictBool = Field(
        default=False, description="Whether comments are held until a moderator approves them."
    )
    is_members_only: StrictBool = Field(
        default=False, description="Whether newcomers cannot reply."
    )
    pinned_comment_id: UUID | None = Field(
        default=None, description="A visible comment of the article to be shown above the others."
    )
    notice: Notice | None = Field(
        default=None, description="Plain text to be shown above the thread."
    )


class TagSettingsPut(Input):
    """All settings of a tag. A setting that is left out gets its default."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_pre_moderated": True}]})

    is_pre_moderated: StrictBool = Field(
        default=False,
        description="Whether comments on articles with the tag are held until they are approved.",
    )


class TagSettingsRead(Output):
    """The settings of a tag."""

    tag: str = Field(examples=["space"])
    is_pre_moderated: bool = Field(
        description="Whether comments on articles with the tag are held until they are approved."
    )
    updated_at: Time | None = Field(description="Null if never set.")
