"""Moderation: reports, what waits for a moderator, and the log of what staff did."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, Double, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column
from models.screening import Phase

OPEN = sql("resolved_at IS NULL")


class ModerationReason(StrEnum):
    """What is wrong with a text, as a report or a decision says."""

    SPAM = "spam"
    ABUSE = "abuse"
    OFF_TOPIC = "off_topic"
    ILLEGAL = "illegal"
    OTHER = "other"


class ReportResolution(StrEnum):
    """What a moderator thought of a report."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class ReviewSource(StrEnum):
    """Why a comment waits for a moderator."""

    # By screening, before it was shown.
    HELD = "held"
    REPORTED = "reported"
    # By screening, which let it through.
    FLAGGED = "flagged"


class ReviewResolution(StrEnum):
    """How a wait for a moderator ended."""

    APPROVED = "approved"
    HIDDEN = "hidden"
    REMOVED = "removed"
    # Nobody: the author deleted the comment meanwhile, or its article is gone.
    DELETED = "deleted"


class LogAction(StrEnum):
    """What a moderator, or the service itself, did."""

    APPROVE = "approve"
    HIDE = "hide"
    REMOVE = "remove"
    RESTORE = "restore"
    ESCALATE = "escalate"
    UNDO = "undo"
    SANCTION = "sanction"
    LIFT_SANCTION = "lift_sanction"
    DECIDE_APPEAL = "decide_appeal"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    CHANGE_RULES = "change_rules"
    CHANGE_SETTINGS = "change_settings"
    CHANGE_ARTICLE = "change_article"
    CHANGE_TAG = "change_tag"


class Report(SQLModel, table=True):
    """What a person says is wrong with a comment; one per person and revision."""

    __tablename__: ClassVar[str] = "reports"
    __table_args__ = (
        CheckConstraint("char_length(note) <= 1000", name="note_length"),
        CheckConstraint("weight BETWEEN 0 AND 10", name="weight_bounded"),
        CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL)", name="resolution_has_a_time"
        ),
        Index(
            "uq_reports_comment_id_revision_reporter_id",
            "comment_id",
            "revision",
            "reporter_id",
            unique=True,
        ),
        # The record of a person: how many of the latest reports were upheld.
        Index("ix_reports_reporter_id", "reporter_id", "created_at"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    comment_id: UUID = Field(sa_column=reference_column("comments.id"))
    # The comment's revision that the reporter saw.
    revision: int
    reporter_id: UUID = Field(sa_column=reference_column("users.id"))
    reason: ModerationReason = Field(sa_column=enum_column(ModerationReason))
    note: str = Field(sa_column=text_column())
    # What it adds to the severity of the comment: 1 for a reporter without a record.
    weight: float = Field(sa_column=Column(Double, nullable=False))
    # Null while no moderator has decided.
    resolution: ReportResolution | None = Field(
        default=None, sa_column=enum_column(ReportResolution, nullable=True)
    )
    # The decision, so that undoing it opens the report again.
    log_id: UUID | None = Field(
        default=None, sa_column=reference_column("moderation_log.id", nullable=True)
    )
    created_at: datetime = Field(sa_column=time_column())
    resolved_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ReviewItem(SQLModel, table=True):
    """A comment that waits, or waited, for a moderator; at most one open item per comment."""

    __tablename__: ClassVar[str] = "review_items"
    __table_args__ = (
        CheckConstraint("severity BETWEEN 0 AND 1000000", name="severity_bounded"),
        CheckConstraint("report_count >= 0", name="report_count_not_negative"),
        CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL)", name="resolution_has_a_time"
        ),
        CheckConstraint("(claimed_by IS NULL) = (claimed_until IS NULL)", name="claim_has_an_end"),
        Index("uq_review_items_open", "comment_id", unique=True, postgresql_where=OPEN),
        # One pair of indexes a filter of the queue, in its two orders.
        Index("ix_review_items_oldest", "opened_at", "id", postgresql_where=OPEN),
        Index("ix_review_items_worst", sql("severity DESC"), "id", postgresql_where=OPEN),
        Index("ix_review_items_source_oldest", "source", "opened_at", "id", postgresql_where=OPEN),
        Index(
            "ix_review_items_source_worst",
            "source",
            sql("severity DESC"),
            "id",
            postgresql_where=OPEN,
        ),
        Index(
            "ix_review_items_article_oldest",
            "article_id",
            "opened_at",
            "id",
            postgresql_where=OPEN,
        ),
        Index(
            "ix_review_items_article_worst",
            "article_id",
            sql("severity DESC"),
            "id",
            postgresql_where=OPEN,
        ),
        Index("ix_review_items_comment_id", "comment_id", "opened_at"),
        # Statistics: what came, and what was decided, on a day.
        Index("ix_review_items_opened_at", "opened_at"),
        Index(
            "ix_review_items_resolved_at",
            "resolved_at",
            postgresql_where=sql("resolved_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    comment_id: UUID = Field(sa_column=reference_column("comments.id"))
    article_id: UUID = Field(sa_column=reference_column("articles.id"))
    source: ReviewSource = Field(sa_column=enum_column(ReviewSource))
    # The sum of the weights of its open reports, and what screening added.
    severity: float = Field(
        default=0, sa_column=Column(Double, nullable=False, server_default=sql("0"))
    )
    # Open reports.
    report_count: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    is_escalated: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    # Who looks at it, so that nobody else does for a time.
    claimed_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    claimed_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    opened_at: datetime = Field(sa_column=time_column())
    # Null while it waits.
    resolution: ReviewResolution | None = Field(
        default=None, sa_column=enum_column(ReviewResolution, nullable=True)
    )
    resolved_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # Null for the service itself, and for the author who deleted the comment.
    resolved_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )


class ModerationLogEntry(SQLModel, table=True):
    """Something that staff did. A trigger refuses to change or to delete a row.

    `before` and `after` hold ids, numbers and enums, never texts of people.
    """

    __tablename__: ClassVar[str] = "moderation_log"
    __table_args__ = (
        CheckConstraint("char_length(note) <= 1000", name="note_length"),
        # A decision is undone once.
        Index(
            "uq_moderation_log_undoes_id",
            "undoes_id",
            unique=True,
            postgresql_where=sql("undoes_id IS NOT NULL"),
        ),
        Index("ix_moderation_log_created_at", "created_at", "id"),
        Index("ix_moderation_log_action", "action", "created_at", "id"),
        Index("ix_moderation_log_comment_id", "comment_id", "created_at", "id"),
        Index("ix_moderation_log_article_id", "article_id", "created_at", "id"),
        Index("ix_moderation_log_user_id", "user_id", "created_at", "id"),
        Index("ix_moderation_log_actor_id", "actor_id", "created_at", "id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    # Null for the service itself: reports that reached the threshold, the command line.
    actor_id: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    action: LogAction = Field(sa_column=enum_column(LogAction))
    comment_id: UUID | None = Field(
        default=None, sa_column=reference_column("comments.id", nullable=True)
    )
    article_id: UUID | None = Field(
        default=None, sa_column=reference_column("articles.id", nullable=True)
    )
    # Who is affected: the author of the comment, the person who was sanctioned.
    user_id: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    reason: ModerationReason | None = Field(
        default=None, sa_column=enum_column(ModerationReason, nullable=True)
    )
    # For staff only.
    note: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    before: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    after: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    undoes_id: UUID | None = Field(
        default=None, sa_column=reference_column("moderation_log.id", nullable=True)
    )
    created_at: datetime = Field(sa_column=time_column())


class RuleFigures(SQLModel, table=True):
    """What became of the texts that a rule decided about on a day, without the decisions."""

    __tablename__: ClassVar[str] = "rule_figures"
    __table_args__ = (
        CheckConstraint(
            "held >= 0 AND flagged >= 0 AND rejected >= 0 AND approved >= 0 AND upheld >= 0",
            name="counts_not_negative",
        ),
    )

    # In UTC.
    day: date = Field(sa_column=Column(Date, primary_key=True))
    phase: Phase = Field(sa_column=enum_column(Phase, primary_key=True))
    # Zero for a phase that has no rules of its own.
    rule_id: UUID = Field(sa_column=id_column(primary_key=True))
    rule: str = Field(sa_column=text_column(primary_key=True))
    held: int
    flagged: int
    rejected: int
    approved: int
    upheld: int
