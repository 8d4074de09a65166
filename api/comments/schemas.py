"""Requests and responses about comments, trees and mentions."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field, StringConstraints

from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output, Prose, Time
from api.users.schemas import PersonRead
from models import CommentState

CommentId = Annotated[UUID, Path(description="The comment's id.")]

MAX_BODY_LENGTH = 10_000

MAX_ROOTS = 200
MAX_CHILDREN = 100
MAX_LEVELS = 10

Body = Annotated[Prose, StringConstraints(min_length=1, max_length=MAX_BODY_LENGTH, pattern=r"\S")]


# In the body of a comment, in Unicode code points.
Position = Annotated[int, Field(ge=0, le=MAX_BODY_LENGTH)]

Epoch = Annotated[
    str,
    Field(
        description="The state of the database that `version` counts in. It changes when the "
        "database is restored from a backup.",
        examples=["9f86d081884c7d65"],
    ),
]


class CommentSort(StrEnum):
    """The order of a tree, the same at every level."""

    BEST = "best"
    NEW = "new"
    OLD = "old"
    TOP = "top"
    HOT = "hot"
    CONTROVERSIAL = "controversial"


class FlatOrder(StrEnum):
    """The order of a flat list."""

    OLDEST = "oldest"
    NEWEST = "newest"


class CommentCreate(Input):
    """A new comment."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"body": "I agree, @max.", "parent_id": None}]}
    )

    body: Body = Field(description="Markdown. `@handle` or `@Display Name` mentions a person.")
    parent_id: UUID | None = Field(
        default=None, description="The comment to reply to. Leave it out to reply to the article."
    )


class CommentUpdate(Input):
    """A new text for a comment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": "I agree *now*, @max."}]})

    body: Body


class MentionRead(Output):
    """A person who is mentioned in a part of the body."""

    user_id: UUID
    handle: str = Field(description="The person's present handle.", examples=["max"])
    display_name: str = Field(examples=["Max"])
    start: Position = Field(
        description="Position of the @ in the body, in Unicode code points.", examples=[9]
    )
    end: Position = Field(
        description="Position after the name, in Unicode code points.", examples=[13]
    )
    text: str = Field(description="The text as written, with the @.", examples=["@max"])


class CommentRead(Output):
    """A comment. A deleted or removed one has no author, body, html or mentions."""

    id: UUID
    article_id: UUID
    parent_id: UUID | None = Field(description="Null for a reply to the article.")
    depth: int = Field(description="Level in the tree: 0 for a reply to the article.", ge=0, le=200)
    author: PersonRead | None = Field(description="Null if unknown, deleted or removed.")
    body: str | None = Field(description="Markdown, as written.", examples=["I agree, @max."])
    html: str | None = Field(
        description="The body as safe HTML.",
        examples=['<p>I agree, <span class="mention" data-user-id="0198f2c5...">@max</span>.</p>'],
    )
    mentions: list[MentionRead]
    state: CommentState
    up: int = Field(description="Number of votes up.")
    down: int = Field(description="Number of votes down.")
    score: int = Field(description="Votes up minus votes down.")
    reply_count: int = Field(description="Number of listed direct replies.")
    descendant_count: int = Field(description="Number of listed replies at all levels below.")
    version: int = Field(description="The article's version when the comment last changed.")
    created_at: Time
    edited_at: Time | None = Field(description="Null if never edited.")


class CommentPage(Page[CommentRead]):
    """A page of comments without their replies."""


class ArticleLink(Output):
    """The article that a comment belongs to."""

    id: UUID
    slug: str = Field(examples=["on-docking-ports"])
    title: str = Field(examples=["On docking ports"])


class PersonComment(CommentRead):
    """A comment in a list of many articles."""

    article: ArticleLink


class PersonCommentPage(Page[PersonComment]):
    """A page of a person's comments."""


class UnresolvedMention(Output):
    """A mention that notifies nobody, and the reason."""

    start: Position = Field(examples=[9])
    end: Position = Field(examples=[13])
    text: str = Field(examples=["@lee"])
    reason: Literal["unknown", "ambiguous"] = Field(
        description="`unknown`: nobody has the name. `ambiguous`: several people have it."
    )
    candidates: list[PersonRead] = Field(description="People who may be meant, at most 10.")


class CommentWritten(CommentRead):
    """A comment that was just written."""

    unresolved_mentions: list[UnresolvedMention] = Field(
        description="Names with an @ that match nobody or several people. Edit the text to choose."
    )


class Replies(Output):
    """The replies to a comment that are on this page."""

    data: list["CommentNode"]
    next_cursor: str | None = Field(
        description="The `cursor` for the remaining replies; null if none.",
        examples=[None],
    )
    remaining: int = Field(description="Number of replies that are not on this page.", ge=0)


class TaggedComment(CommentRead):
    """A comment and its entity tag."""

    etag: str = Field(
        description="Changes with each edit; send it in `If-Match` to edit or delete the comment.",
        examples=['"1-9f86d081884c7d65-0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"'],
    )


class CommentNode(TaggedComment):
    """A comment with its replies."""

    replies: Replies


class TreePage(Output):
    """How to get the next page of a tree."""

    next_cursor: str | None = Field(examples=["cB3fA9..."])
    has_more: bool
    remaining: int = Field(
        description="Number of comments at the top level that follow. Always exact on the first "
        "page and up to 200; above that, exact unless comments were added or deleted meanwhile.",
        ge=0,
    )


class CommentTree(Output):
    """A page of a comment tree."""

    article_id: UUID
    epoch: Epoch
    version: int = Field(description="The article's version that this page shows.")
    sort: CommentSort
    notice: str | None = Field(
        description="Plain text of the moderators, to be shown above the thread.",
        examples=["Please keep to the subject."],
    )
    pinned_comment_id: UUID | None = Field(
        description="A visible comment of the article to be shown above the others."
    )
    data: list[CommentNode]
    page: TreePage


class CommentContext(Output):
    """A comment with its ancestors and its replies."""

    article_id: UUID
    article: ArticleLink
    version: int
    sort: CommentSort
    ancestors: list[CommentRead] = Field(description="From the top level down to the parent.")
    comment: CommentNode


class MentionPreview(Input):
    """A text whose mentions are previewed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"article": "on-docking-ports", "body": "Hi @max, @lee!"}]}
    )

    # Only what can be one: PostgreSQL cannot even compare NUL.
    article: Annotated[
        str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9-]+$")
    ] = Field(description="The article's id or slug.")
    body: Body


class PreviewedMention(Output):
    """A person who is mentioned, and whether they would be notified."""

    start: Position = Field(examples=[9])
    end: Position = Field(examples=[13])
    text: str = Field(examples=["@max"])
    person: PersonRead
    told: bool = Field(description="Whether the person would be notified.")
    reason: Literal["yourself", "already_mentioned", "too_many"] | None = Field(
        description="Why not: `yourself`, `already_mentioned`, or `too_many` (over 10 people). "
        "Null if the person would be notified."
    )


class SuggestedMention(Output):
    """A name without an @ that may be meant as a mention."""

    start: Position = Field(examples=[9])
    end: Position = Field(examples=[13])
    text: str = Field(examples=["Max"])
    person: PersonRead


class MentionPreviewRead(Output):
    """The mentions of a text."""

    mentions: list[PreviewedMention]
    unresolved: list[UnresolvedMention]
    suggestions: list[SuggestedMention]
