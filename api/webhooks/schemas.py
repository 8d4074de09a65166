"""Requests and responses about webhooks, and the messages that they get."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from api.articles.schemas import ArticleRead, ArticleSummary, Tag
from api.comments.schemas import CommentRead
from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Line, Output, Time, show_values
from api.users.schemas import PersonRead, WebAddress
from models import WebhookDisabledReason, WebhookEventType

MAX_DESCRIPTION_LENGTH = 200
# What a test is called where others have a WebhookEventType.
TEST_TYPE = "webhook.test"


def _refuse_doubles(types: list[WebhookEventType]) -> list[WebhookEventType]:
    if len(set(types)) != len(types):
        raise ValueError("Name each event type only once.")
    return types


Description = Annotated[Line, StringConstraints(max_length=MAX_DESCRIPTION_LENGTH)]
EventTypes = Annotated[
    list[WebhookEventType],
    Field(min_length=1, max_length=len(WebhookEventType), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_refuse_doubles),
]
_URL = (
    "Where messages are sent: https, and a host with public addresses only. Redirects are not "
    "followed."
)
_ARTICLE = "Only what happens to this article and under it."
_TAG = "Only what happens to articles with this tag and under them."


class _Filtered(Input):
    """What can be limited to an article or a tag, not to both."""

    article_id: UUID | None = Field(default=None, description=_ARTICLE)
    tag: Tag | None = Field(default=None, description=_TAG)

    @model_validator(mode="after")
    def _refuse_two_filters(self) -> "_Filtered":
        if self.article_id is not None and self.tag is not None:
            raise ValueError("Send `article_id` or `tag`, not both.")
        return self


class WebhookCreate(_Filtered):
    """A new webhook."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://site.example/palaver",
                    "event_types": ["comment.created", "comment.removed"],
                    "description": "Number of comments on the front page",
                }
            ]
        }
    )

    url: WebAddress = Field(description=_URL)
    event_types: EventTypes
    description: Description = Field(default="", description="For administrators.")


class WebhookUpdate(_Filtered):
    """Changes to a webhook. Fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_enabled": True}]})

    url: WebAddress | None = Field(default=None, description=_URL)
    event_types: EventTypes | None = None
    description: Description | None = None
    article_id: UUID | None = Field(
        default=None, description=f"{_ARTICLE} It replaces a tag. Null removes the filter."
    )
    tag: Tag | None = Field(
        default=None, description=f"{_TAG} It replaces an article. Null removes the filter."
    )
    is_enabled: StrictBool | None = Field(
        default=None,
        description="False stops messages, also those that wait for another attempt. True starts "
        "again with what happens from then on.",
    )


class WebhookRead(Output):
    """A webhook. Its secret is never shown again."""

    id: UUID
    url: str = Field(examples=["https://site.example/palaver"])
    event_types: list[Annotated[WebhookEventType, show_values(WebhookEventType)]]
    article_id: UUID | None = Field(description="Null if not limited to an article.")
    tag: str | None = Field(description="Null if not limited to a tag.", examples=["space"])
    description: str = Field(examples=["Number of comments on the front page"])
    owner: PersonRead = Field(description="Who created it, and is notified if it is disabled.")
    is_enabled: bool
    disabled_at: Time | None = Field(description="Null while it is enabled.")
    disabled_reason: WebhookDisabledReason | None = Field(
        description="`gone`: it responded 410. `failing`: every attempt of five days failed. "
        "`requested`: a person disabled it. Null while it is enabled."
    )
    failing_since: Time | None = Field(
        description="When attempts began to fail. Null if the last one succeeded."
    )
    previous_secret_ends_at: Time | None = Field(
        description="Until when messages have a second signature, with the secret before the last "
        "rotation. Null if there is none."
    )
    created_at: Time
    edited_at: Time | None = Field(description="Null if never edited.")


class WebhookCreated(WebhookRead):
    """A webhook that was just created, with its secret."""

    secret: str = Field(
        description="The key that verifies messages, shown only now. Keep it on the server that "
        "receives them.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class WebhookPage(Page[WebhookRead]):
    """A page of webhooks."""


class WebhookSecret(Output):
    """A new secret of a webhook."""

    secret: str = Field(
        description="The new key, shown only now.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    previous_secret_ends_at: Time = Field(
        description="Until then each message has two signatures, one with each secret."
    )


class WebhookDeliveryRead(Output):
    """One attempt to send a message to a webhook."""

    id: UUID
    message_id: str = Field(
        description="The `webhook-id` of the message, the same in all attempts.",
        examples=["evt_0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60_17"],
    )
    type: str = Field(
        description="The event type, or `webhook.test`.", examples=["comment.created"]
    )
    attempt: int = Field(description="Counts the attempts at this message, from 1.")
    is_success: bool = Field(description="Whether the response had a status of 200 to 299.")
    status: int | None = Field(description="The status of the response. Null without a response.")
    duration_ms: int = Field(description="Until the response or the error, in milliseconds.")
    error: str | None = Field(
        description="Why the attempt failed. Null if it succeeded.", examples=["status 500"]
    )
    response_excerpt: str | None = Field(
        description="The first 500 characters of the response. Null without a response.",
        examples=["Internal Server Error"],
    )
    created_at: Time


class WebhookDeliveryPage(Page[WebhookDeliveryRead]):
    """A page of a webhook's deliveries."""


class ArticleEventData(Output):
    """An article that was created, edited or restored."""

    article_id: UUID
    version: int = Field(description="The article's version that the change made.")
    article: ArticleRead = Field(description="As it is now, which may be newer than `version`.")


class ArticleRemovedData(Output):
    """An article that was deleted by its author or removed by a moderator, with its thread."""

    article_id: UUID
    version: int = Field(description="The article's version that the change made.")


class CommentEventData(Output):
    """Comments that were published, edited or restored, mostly one."""

    article_id: UUID
    version: int = Field(description="The article's version that the change made.")
    comment_ids: list[UUID]
    article: ArticleSummary = Field(description="The article that the comments are under.")
    comments: list[CommentRead] = Field(
        description="Those of the comments that can be read now, as they are now. At most 100, and "
        "1 MiB in all: request any other by its id."
    )


class CommentsRemovedData(Output):
    """Comments that cannot be read any more: deleted, removed or hidden."""

    article_id: UUID
    version: int = Field(description="The article's version that the change made.")
    comment_ids: list[UUID]


class WebhookTestData(Output):
    """What a test is about."""

    webhook_id: UUID


class _Message(Output):
    type: str
    timestamp: Time = Field(description="When it happened.")


class ArticleCreatedMessage(_Message):
    """An article was published."""

    type: Literal["article.created"]
    data: ArticleEventData


class ArticleEditedMessage(_Message):
    """An article or its settings were edited."""

    type: Literal["article.edited"]
    data: ArticleEventData


class ArticleRemovedMessage(_Message):
    """An article was deleted or removed."""

    type: Literal["article.removed"]
    data: ArticleRemovedData


class ArticleRestoredMessage(_Message):
    """A removed article was restored."""

    type: Literal["article.restored"]
    data: ArticleEventData


class CommentCreatedMessage(_Message):
    """Comments were published: written, or approved by a moderator."""

    type: Literal["comment.created"]
    data: CommentEventData


class CommentEditedMessage(_Message):
    """Comments were edited."""

    type: Literal["comment.edited"]
    data: CommentEventData


class CommentRemovedMessage(_Message):
    """Comments were deleted, removed or hidden."""

    type: Literal["comment.removed"]
    data: CommentsRemovedData


class CommentRestoredMessage(_Message):
    """Comments that were hidden or removed can be read again."""

    type: Literal["comment.restored"]
    data: CommentEventData


class WebhookTestMessage(_Message):
    """An administrator tests the webhook."""

    type: Literal["webhook.test"]
    data: WebhookTestData
