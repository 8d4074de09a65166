"""Requests and responses about the inbox."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from api.comments.schemas import ArticleLink
from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output, Time, show_values
from api.kit.text.excerpts import MAX_EXCERPT
from api.users.schemas import PersonRead
from models import (
    AppealState,
    CommentState,
    LogAction,
    ModerationReason,
    NotificationKind,
    SanctionKind,
)

# Unread notifications that are counted.
MAX_COUNTED = 1000
# Notifications that one request names.
MAX_IDS = 100
# The largest integer that every JSON parser reads exactly.
MAX_NUMBER = 2**53 - 1

Number = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_NUMBER,
        strict=True,
        json_schema_extra={"format": "int64"},
    ),
]


class InboxOrder(StrEnum):
    """The orders of the inbox."""

    NEWEST = "newest"
    UNREAD_FIRST = "unread_first"


class GroupRef(Input):
    """A group of notifications."""

    kind: NotificationKind
    group_id: UUID


class NotificationsMark(Input):
    """Which notifications you have read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"up_to": 42}]})

    up_to: Number | None = Field(
        default=None,
        description="All up to this number, alone or of an article or a group. What came since you "
        "loaded the list stays unread.",
    )
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)] | None = Field(
        default=None, description="These, and nothing else."
    )
    article_id: UUID | None = Field(
        default=None, description="Those about the article and its thread."
    )
    group: GroupRef | None = Field(default=None, description="Those of a group.")

    @model_validator(mode="after")
    def _check_choice(self) -> "NotificationsMark":
        chosen = [name for name in ("ids", "article_id", "group") if getattr(self, name)]
        if len(chosen) > 1 or (self.ids and self.up_to is not None):
            raise ValueError("Send ids alone, or one of article_id and group, or up_to alone.")
        if not chosen and self.up_to is None:
            raise ValueError("Say which notifications you have read.")
        return self


class NotifiedComment(Output):
    """The comment that a notification is about."""

    id: UUID
    parent_id: UUID | None
    excerpt: str = Field(
        description=f"The beginning of its text, at most {MAX_EXCERPT} characters.",
        examples=["I see."],
    )


class NotifiedSanction(Output):
    """The sanction that a decision made or lifted."""

    kind: Annotated[SanctionKind, show_values(SanctionKind)]
    message: str = Field(examples=["Please read the rules before you write again."])
    ends_at: Time | None = Field(description="Null: until it is lifted.")


class NotifiedDecision(Output):
    """What was decided about you or what you wrote, without who decided it."""

    log_id: UUID = Field(description="For an appeal against it.")
    action: Annotated[str, show_values(LogAction)]
    reason: Annotated[ModerationReason, show_values(ModerationReason)] | None
    article_id: UUID | None = Field(description="Null if it is about you.")
    comment_id: UUID | None = Field(description="Null if it is about you or an article of yours.")
    comment_state: Annotated[CommentState, show_values(CommentState)] | None = Field(
        description="What became of the comment. Null if it is about none."
    )
    sanction: NotifiedSanction | None = Field(description="Null unless it is about you.")


class NotifiedAppeal(Output):
    """What became of your appeal."""

    id: UUID
    log_id: UUID = Field(description="The decision that you appealed against.")
    state: Annotated[AppealState, show_values(AppealState)]
    decision_reason: str = Field(examples=["It was a quotation."])


class NotificationGroup(Output):
    """The notifications that are shown as one: those of one `kind` and `group_id`."""

    count: int = Field(description="Among your newest 1000 notifications.")
    unread_count: int
    actors: list[PersonRead] = Field(description="Who did it, at most three, the newest first.")
    actor_count: int


class NotificationRead(Output):
    """Something that you are notified of."""

    id: UUID
    number: Number = Field(
        description="Grows within your inbox. One that gets a stronger reason gets a new number."
    )
    kind: Annotated[NotificationKind, show_values(NotificationKind)]
    is_read: bool
    actor: PersonRead | None = Field(
        description="Who wrote it. Null for moderators and for the service."
    )
    article: ArticleLink | None = Field(description="Null if there is none, or it is not public.")
    comment: NotifiedComment | None = Field(
        description="Null if there is none, or it is not public."
    )
    decision: NotifiedDecision | None = Field(description="Null unless `kind` is `decision`.")
    appeal: NotifiedAppeal | None = Field(description="Null unless `kind` is `appeal`.")
    webhook_id: UUID | None = Field(description="Null unless `kind` is `webhook_disabled`.")
    group_id: UUID = Field(description="With `kind`, the group that it belongs to.")
    group: NotificationGroup | None = Field(
        description="With `grouped=true`, the group whose newest notification this is."
    )
    created_at: Time


class NotificationPage(Page[NotificationRead]):
    """A page of your inbox."""


class UnreadCount(Output):
    """How many notifications you have not read."""

    unread: Annotated[int, Field(ge=0, le=MAX_COUNTED)] = Field(
        description=f"At most {MAX_COUNTED}, which stands for as many or more."
    )
    last_number: Number = Field(description="Of the newest notification, seen or not.")


class MarkedRead(Output):
    """What is left after notifications were marked as read."""

    unread: Annotated[int, Field(ge=0, le=MAX_COUNTED)] = Field(
        description=f"At most {MAX_COUNTED}, which stands for as many or more."
    )
    has_more: bool = Field(
        description="Whether there were more than one request marks: send it again."
    )
