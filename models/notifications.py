"""Notifications: what a person is told, and through which channels."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, time_column


class NotificationKind(StrEnum):
    """Why a person is notified; of several reasons for one comment, the first that applies."""

    MENTION = "mention"
    COMMENT_REPLY = "comment_reply"
    ARTICLE_REPLY = "article_reply"
    # A new comment in an article, by a person or under a tag that one follows.
    FOLLOWED = "followed"
    # A new article by a person or under a tag that one follows.
    NEW_ARTICLE = "new_article"
    # What a moderator decided about a text or an account of one's own.
    DECISION = "decision"
    APPEAL = "appeal"
    WEBHOOK_DISABLED = "webhook_disabled"


class MailFrequency(StrEnum):
    """When a notification is mailed."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class Inbox(SQLModel, table=True):
    """A person's inbox. Its row is locked while notifications are added, in the order of user ids.

    So the numbers of an inbox become visible in their order, and a client that knows one of them
    misses none before it.
    """

    __tablename__: ClassVar[str] = "inboxes"

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    last_number: int = Field(sa_column=Column(BigInteger, nullable=False))


class Notification(SQLModel, table=True):
    """One row for each recipient and object. Whether it is shown depends on what can be seen now.

    `object_id` is the comment, article, log entry, appeal or webhook that it is about, and the
    columns beside it are what the inbox joins.
    """

    __tablename__: ClassVar[str] = "notifications"
    __table_args__ = (
        Index("uq_notifications_user_id_number", "user_id", "number", unique=True),
        Index("uq_notifications_user_id_object_id", "user_id", "object_id", unique=True),
        Index(
            "ix_notifications_unread", "user_id", "number", postgresql_where=sql("read_at IS NULL")
        ),
        Index(
            "ix_notifications_read",
            "user_id",
            "number",
            postgresql_where=sql("read_at IS NOT NULL"),
        ),
        Index("ix_notifications_comment_id", "comment_id"),
        Index("ix_notifications_article_id_user_id", "article_id", "user_id"),
        Index("ix_notifications_actor_id", "actor_id"),
        # Most notifications are about neither.
        Index("ix_notifications_log_id", "log_id", postgresql_where=sql("log_id IS NOT NULL")),
        Index(
            "ix_notifications_appeal_id", "appeal_id", postgresql_where=sql("appeal_id IS NOT NULL")
        ),
        # What is deleted first, read and unread.
        Index("ix_notifications_created_at", "created_at"),
        Index("ix_notifications_read_at", "read_at", postgresql_where=sql("read_at IS NOT NULL")),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    # Grows within the inbox. One that gets a stronger reason later gets a new number.
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: NotificationKind = Field(sa_column=enum_column(NotificationKind))
    object_id: UUID = Field(sa_column=id_column())
    # Who did it; null for moderators, whose names are not told, and for the service itself.
    actor_id: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    article_id: UUID | None = Field(
        default=None, sa_column=reference_column("articles.id", nullable=True)
    )
    comment_id: UUID | None = Field(
        default=None, sa_column=reference_column("comments.id", nullable=True)
    )
    log_id: UUID | None = Field(
        default=None, sa_column=reference_column("moderation_log.id", nullable=True)
    )
    appeal_id: UUID | None = Field(
        default=None, sa_column=reference_column("appeals.id", nullable=True)
    )
    # Notifications of one kind and group are shown as one ("3 replies"): the comment that was
    # replied to, or the article.
    group_id: UUID = Field(sa_column=id_column())
    created_at: datetime = Field(sa_column=time_column())
    read_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class NotificationSettings(SQLModel, table=True):
    """What a person chose for all notifications; without a row, the defaults."""

    __tablename__: ClassVar[str] = "notification_settings"

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    # Whether a thread is followed from one's first comment in it.
    follows_own_threads: bool = Field(
        default=True, sa_column_kwargs={"server_default": sql("true")}
    )


class NotificationChannel(SQLModel, table=True):
    """Where a person wants one kind of notification besides the inbox; without a row, defaults."""

    __tablename__: ClassVar[str] = "notification_channels"
    __table_args__ = (
        # Who is due a digest.
        Index(
            "ix_notification_channels_digests",
            "mail",
            "user_id",
            postgresql_where=sql("mail IN ('daily', 'weekly')"),
        ),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    kind: NotificationKind = Field(sa_column=enum_column(NotificationKind, primary_key=True))
    mail: MailFrequency = Field(sa_column=enum_column(MailFrequency))
    push: bool


class ReadState(SQLModel, table=True):
    """Up to which version of an article a person has read its thread, on whichever device."""

    __tablename__: ClassVar[str] = "read_states"
    __table_args__ = (
        CheckConstraint("version >= 0", name="version_not_negative"),
        Index("ix_read_states_article_id", "article_id"),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    read_at: datetime = Field(sa_column=time_column())
