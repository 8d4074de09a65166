"""Requests and responses about articles."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from api.articles.slugs import MAX_SLUG_LENGTH, SLUG_PATTERN, is_like_id, is_reserved_slug
from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Line, Output, Prose, Time
from api.users.schemas import PersonRead, WebAddress
from models import MAX_SLOW_MODE_SECONDS

MAX_BODY_LENGTH = 20_000
MAX_TAGS = 10


def _refuse_reserved(slug: str) -> str:
    if is_like_id(slug):
        raise ValueError("Choose a slug that does not look like an id.")
    if is_reserved_slug(slug):
        raise ValueError("Choose another slug: the API uses this word in its own paths.")
    return slug


def _refuse_doubles(tags: list[str]) -> list[str]:
    if len(set(tags)) != len(tags):
        raise ValueError("Name each tag only once.")
    return tags


Title = Annotated[Line, StringConstraints(min_length=1, max_length=300)]
Body = Annotated[Prose, StringConstraints(max_length=MAX_BODY_LENGTH)]
Slug = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SLUG_LENGTH, pattern=SLUG_PATTERN),
    AfterValidator(_refuse_reserved),
]
ExternalId = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")
]
Tag = Annotated[
    Line,
    # Before its length is checked: a lower-case letter may be longer.
    AfterValidator(str.lower),
    StringConstraints(min_length=1, max_length=32, pattern=r"^[^\s,#/?&]+$"),
]
Tags = Annotated[
    list[Tag],
    Field(max_length=MAX_TAGS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_refuse_doubles),
]


class ArticleSort(StrEnum):
    """The order of a list of articles."""

    NEW = "new"
    ACTIVE = "active"
    TOP = "top"
    HOT = "hot"


class ArticleCreate(Input):
    """A new article."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Europe and China discuss space",
                    "body": "They met on **April 1st**.",
                    "tags": ["space"],
                }
            ]
        }
    )

    title: Title
    body: Body = Field(
        default="", description="Markdown. By default empty: the text may be on another site."
    )
    slug: Slug | None = Field(
        default=None, description="By default made from the title. It never changes."
    )
    url: WebAddress | None = Field(
        default=None, description="The address of the article on its own site."
    )
    external_id: ExternalId | None = Field(
        default=None, description="The article's id on its own site, unique on this server."
    )
    tags: Tags = Field(default_factory=list)


class ArticleUpdate(Input):
    """Changes to an article. Fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "A better title"}]})

    title: Title | None = None
    body: Body | None = None
    url: WebAddress | None = Field(default=None, description="Null removes the address.")
    tags: Tags | None = None
    is_locked: StrictBool | None = Field(
        default=None, description="True closes the discussion: only staff can reply."
    )


class ArticleUpsert(Input):
    """An article of a site with its own ids."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "On docking ports", "url": "https://a.example/1"}]
        }
    )

    title: Title
    body: Body = Field(default="", description="Markdown. By default empty.")
    url: WebAddress | None = None
    tags: Tags = Field(default_factory=list)


class ArticleSummary(Output):
    """An article in a list, without its text."""

    id: UUID
    slug: str = Field(examples=["on-docking-ports"])
    title: str = Field(examples=["On docking ports"])
    url: str | None = Field(examples=["https://example.com/on-docking-ports"])
    external_id: str | None = Field(
        description="The article's id on its own site.", examples=["post-1"]
    )
    excerpt: str = Field(
        description="The beginning of the text as plain text, at most 280 characters.",
        examples=["They fit."],
    )
    tags: list[str] = Field(examples=[["space"]])
    author: PersonRead | None = Field(description="Null if unknown.")
    is_locked: bool = Field(description="Whether the discussion is closed.")
    closes_at: Time | None = Field(description="When the discussion closes by itself.")
    version: int = Field(description="Increases with each change to the article or its thread.")
    comment_count: int = Field(description="Number of visible comments at all levels.")
    up: int = Field(description="Number of votes up.")
    down: int = Field(description="Number of votes down.")
    score: int = Field(description="Votes up minus votes down.")
    created_at: Time
    edited_at: Time | None = Field(description="Null if never edited.")
    last_activity_at: Time


class ArticlePage(Page[ArticleSummary]):
    """A page of articles."""


class ArticleRead(ArticleSummary):
    """An article."""

    body: str = Field(description="Markdown, as written.", examples=["They *fit*."])
    html: str = Field(description="The body as safe HTML.", examples=["<p>They <em>fit</em>.</p>"])
    notice: str | None = Field(
        description="Plain text of the moderators, to be shown above the thread.",
        examples=["Please keep to the subject."],
    )
    pinned_comment_id: UUID | None = Field(
        description="A visible comment to be shown above the others."
    )
    slow_mode_seconds: int = Field(
        description="Seconds between two comments of one person; 0 is off.",
        ge=0,
        le=MAX_SLOW_MODE_SECONDS,
    )
    is_members_only: bool = Field(description="Whether newcomers cannot reply.")
    is_pre_moderated: bool = Field(
        description="Whether comments are held until a moderator approves them."
    )
