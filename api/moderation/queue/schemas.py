"""Responses of the review queue."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.comments.schemas import ArticleLink, Position
from api.kit.http.pagination import Page
from api.kit.http.schemas import Output, Time
from api.moderation.log.schemas import LogEntryRead
from api.moderation.reports.schemas import ReportState
from api.users.schemas import PersonRead
from models import CommentState, ModerationReason, Outcome, Phase, ReviewSource

Count = Annotated[int, Field(ge=0, le=100)]


class FindingRead(Output):
    """What screening found in the text, and where."""

    revision: int = Field(description="The comment's revision that was screened.")
    outcome: Outcome
    phase: Phase
    rule_id: UUID | None
    rule: str = Field(description="The rule as it was then.", examples=["word: watches"])
    start: Position | None = Field(description="Position in the body, in Unicode code points.")
    end: Position | None = Field(description="Position after it, in Unicode code points.")
    created_at: Time


class CommentReport(Output):
    """A report, as moderators see it."""

    id: UUID
    reporter: PersonRead
    revision: int = Field(description="The comment's revision that was reported.")
    reason: ModerationReason
    note: str = Field(examples=["Sells watches."])
    weight: float = Field(
        description="1 for a reporter without a record, at most 2.", examples=[1.0]
    )
    state: ReportState
    created_at: Time


class AuthorRecord(Output):
    """What became of what a person wrote; each number is counted up to 100."""

    published: Count
    held: Count
    hidden: Count
    removed: Count
    sanctions: Count = Field(description="Sanctions that were not lifted, without notes.")


class AncestorRead(Output):
    """A comment above the one that waits."""

    id: UUID
    state: CommentState
    author: PersonRead | None
    excerpt: str = Field(
        description="The beginning, as plain text; empty if deleted.", examples=["I agree."]
    )
    created_at: Time


class ClaimRead(Output):
    """Who looks at an item, and for how long."""

    by: PersonRead
    until: Time


class ClaimTaken(Output):
    """Your claim on an item."""

    item_id: UUID
    until: Time


class ReviewItemRead(Output):
    """Why a comment waits for a moderator."""

    id: UUID
    source: ReviewSource
    severity: float = Field(
        description="The weights of its open reports, and 1 if screened.", examples=[1.5]
    )
    report_count: int = Field(description="Open reports.", ge=0)
    is_escalated: bool
    claim: ClaimRead | None = Field(description="Null if nobody looks at it now.")
    opened_at: Time


class ReviewedComment(Output):
    """A comment, as moderators see it."""

    id: UUID
    article: ArticleLink
    parent_id: UUID | None
    depth: int
    author: PersonRead | None
    body: str = Field(
        description="Markdown, whatever the state; empty if its author deleted it.",
        examples=["Buy watches."],
    )
    state: CommentState
    etag: str = Field(
        description="For `etag` in a decision about it.",
        examples=['"1-9f86d081884c7d65-0198f2c5-6f3a-7000-8000-000000000001"'],
    )
    created_at: Time
    edited_at: Time | None


class QueueItem(ReviewItemRead):
    """A comment that waits for a moderator, with what a decision needs."""

    comment: ReviewedComment
    author_record: AuthorRecord | None = Field(description="Null without an author.")
    ancestors: list[AncestorRead] = Field(description="The nearest three, the parent last.")
    reports: list[CommentReport] = Field(description="The latest 20.")
    findings: list[FindingRead] = Field(description="What screening found; the latest 50.")


class QueuePage(Page[QueueItem]):
    """A page of the review queue."""


class CommentModeration(Output):
    """What moderators see of a comment."""

    comment: ReviewedComment
    html: str = Field(description="The body as safe HTML.", examples=["<p>Buy watches.</p>"])
    item: ReviewItemRead | None = Field(description="Null if it does not wait for a moderator.")
    author_record: AuthorRecord | None
    ancestors: list[AncestorRead]
    reports: list[CommentReport]
    findings: list[FindingRead]
    log: list[LogEntryRead] = Field(description="Decisions about it, the latest 50.")
