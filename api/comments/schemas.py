"""What is asked and answered about comments, trees and mentions."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output, Prose, Time
from api.users.schemas import PersonRead
from models import CommentState

MAX_BODY_LENGTH = 10_000

MAX_ROOTS = 200
MAX_CHILDREN = 100
MAX_LEVELS = 10

Body = Annotated[Prose, StringConstraints(min_length=1, max_length=MAX_BODY_LENGTH, pattern=r"\S")]


class CommentSort(StrEnum):
    """The orders of a tree, the same at its roots and at every node."""

    BEST = "best"
    NEW = "new"
    OLD = "old"
    TOP = "top"
    HOT = "hot"
    CONTROVERSIAL = "controversial"


class FlatOrder(StrEnum):
    """The orders of a flat list."""

    OLDEST = "oldest"
    NEWEST = "newest"


class CommentCreate(Input):
    """A reply."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"body": "I agree, @max.", "parent_id": None}]}
    )

    body: Body = Field(description="Markdown. `@handle` or `@Display Name` mentions a person.")
    parent_id: UUID | None = Field(
        default=None, description="The comment to reply to; left out, the article itself."
    )


class CommentUpdate(Input):
    """A new text."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": "I agree *now*, @max."}]})

    body: Body


class MentionRead(Output):
    """Who is meant by a stretch of the body."""

    user_id: UUID
    handle: str = Field(description="The person's handle today.", examples=["max"])
    display_name: str = Field(examples=["Max"])
    start: int = Field(
        description="Where the @ stands: Unicode code points from the start.", ge=0, examples=[9]
    )
    end: int = Field(description="Where the name ends, exclusive.", examples=[13])
    text: str = Field(description="As it was written, with the @.", examples=["@max"])


class CommentRead(Output):
    """A comment. One that was taken back has no author, body, html or mentions."""

    id: UUID
    article_id: UUID
    parent_id: UUID | None
    depth: int = Field(description="0 for a reply to the article.", ge=0, le=200)
    author: PersonRead | None = Field(description="Null when unknown or taken back.")
    body: str | None = Field(examples=["I agree, @max."])
    html: str | None = Field(
        examples=['<p>I agree, <span class="mention" data-user-id="0198f2c5...">@max</span>.</p>']
    )
    mentions: list[MentionRead]
    state: CommentState
    up: int
    down: int
    score: int
    reply_count: int = Field(description="Listed replies directly under it.")
    descendant_count: int = Field(description="Listed replies at every depth under it.")
    version: int = Field(description="The article's version at its last visible change.")
    created_at: Time
    edited_at: Time | None


class CommentPage(Page[CommentRead]):
    """A page of comments, without their replies."""


class UnresolvedMention(Output):
    """A mention that tells nobody, and why."""

    start: int = Field(examples=[9])
    end: int = Field(examples=[13])
    text: str = Field(examples=["@lee"])
    reason: Literal["unknown", "ambiguous"]
    candidates: list[PersonRead] = Field(description="Who is meant, perhaps; at most 10.")


class CommentWritten(CommentRead):
    """A comment as it was just written."""

    unresolved_mentions: list[UnresolvedMention] = Field(
        description="Names with an @ that could not be told to anybody; edit to choose."
    )


class Replies(Output):
    """The replies under a node, as far as the page shows them."""

    data: list["CommentNode"]
    next_cursor: str | None = Field(
        description="Give it to this article's comments for the rest.", examples=[None]
    )
    remaining: int = Field(description="How many are not shown.", ge=0)


class CommentNode(CommentRead):
    """A comment with the replies under it."""

    replies: Replies


class TreePage(Output):
    """Where the roots go on."""

    next_cursor: str | None = Field(examples=["cB3fA9..."])
    has_more: bool
    remaining: int = Field(
        description="How many follow. Exact, but for pages after the first of which more than 200 "
        "follow: then exact as long as nothing came or went while paging.",
        ge=0,
    )


class CommentTree(Output):
    """A page of a tree, the same for everybody."""

    article_id: UUID
    version: int = Field(description="The article's version that this page shows.")
    sort: CommentSort
    data: list[CommentNode]
    page: TreePage


class CommentContext(Output):
    """A comment where it stands: the line of its ancestors, and its own replies."""

    article_id: UUID
    version: int
    sort: CommentSort
    ancestors: list[CommentRead] = Field(description="From the top down to the parent.")
    comment: CommentNode


class MentionPreview(Input):
    """A text that is being written."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"article": "on-docking-ports", "body": "Hi @max, @lee!"}]}
    )

    # Only what can be one: PostgreSQL cannot even compare NUL.
    article: Annotated[
        str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9-]+$")
    ] = Field(description="The article's id or slug.")
    body: Body


class PreviewedMention(Output):
    """Somebody who is meant, and whether they would be told."""

    start: int = Field(examples=[9])
    end: int = Field(examples=[13])
    text: str = Field(examples=["@max"])
    person: PersonRead
    told: bool
    reason: Literal["yourself", "already_mentioned", "too_many"] | None = Field(
        description="Why they would not be told."
    )


class SuggestedMention(Output):
    """A name without an @ that somebody may have meant as a mention."""

    start: int = Field(examples=[9])
    end: int = Field(examples=[13])
    text: str = Field(examples=["Max"])
    person: PersonRead


class MentionPreviewRead(Output):
    """What the mentions of a text come to."""

    mentions: list[PreviewedMention]
    unresolved: list[UnresolvedMention]
    suggestions: list[SuggestedMention]
