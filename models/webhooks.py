"""Webhooks: where other systems want to be told what happens, and what became of each attempt."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, LargeBinary, Text, Uuid
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column


class WebhookEventType(StrEnum):
    """What a webhook can be told: what everybody can see."""

    ARTICLE_CREATED = "article.created"
    ARTICLE_EDITED = "article.edited"
    ARTICLE_REMOVED = "article.removed"
    ARTICLE_RESTORED = "article.restored"
    COMMENT_CREATED = "comment.created"
    COMMENT_EDITED = "comment.edited"
    COMMENT_REMOVED = "comment.removed"
    COMMENT_RESTORED = "comment.restored"


class WebhookDisabledReason(StrEnum):
    """Why a webhook gets nothing."""

    # It responded 410.
    GONE = "gone"
    # No attempt of five days succeeded.
    FAILING = "failing"
    # An administrator or the operator disabled it.
    REQUESTED = "requested"


class Webhook(SQLModel, table=True):
    """An endpoint of another system. Its secrets are sealed (`api.kit.sealing`)."""

    __tablename__: ClassVar[str] = "webhooks"
    __table_args__ = (
        CheckConstraint("char_length(url) BETWEEN 1 AND 2048", name="url_length"),
        CheckConstraint("char_length(description) <= 200", name="description_length"),
        CheckConstraint("cardinality(event_types) BETWEEN 1 AND 100", name="event_types_size"),
        CheckConstraint("char_length(tag) BETWEEN 1 AND 32", name="tag_length"),
        CheckConstraint("num_nonnulls(article_id, tag) <= 1", name="one_filter"),
        CheckConstraint(
            "(previous_secret IS NULL) = (previous_secret_ends_at IS NULL)",
            name="previous_secret_ends",
        ),
        CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_has_reason"
        ),
        Index("ix_webhooks_article_id", "article_id"),
        Index("ix_webhooks_owner_id", "owner_id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    # Who made it, and is notified when it is disabled.
    owner_id: UUID = Field(sa_column=reference_column("users.id"))
    url: str = Field(sa_column=text_column())
    description: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    # Values of WebhookEventType.
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    # Only what happens under this article, or under articles with this tag.
    article_id: UUID | None = Field(
        default=None, sa_column=reference_column("articles.id", nullable=True)
    )
    tag: str | None = Field(default=None, sa_column=text_column(nullable=True))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    # Signs beside the secret until then.
    previous_secret: bytes | None = Field(
        default=None, sa_column=Column(LargeBinary, nullable=True)
    )
    previous_secret_ends_at: datetime | None = Field(
        default=None, sa_column=time_column(nullable=True)
    )
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    # When the first attempt failed since the last one that succeeded.
    failing_since: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    disabled_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    disabled_reason: WebhookDisabledReason | None = Field(
        default=None, sa_column=enum_column(WebhookDisabledReason, nullable=True)
    )
    created_at: datetime = Field(sa_column=time_column())
    edited_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class WebhookAttempt(SQLModel, table=True):
    """One attempt to send a message to a webhook: what came of it, and what to send again.

    `webhook_id` is no foreign key: what is left of a deleted webhook goes with the usual purge.
    """

    __tablename__: ClassVar[str] = "webhook_attempts"
    __table_args__ = (
        CheckConstraint("char_length(message_id) BETWEEN 1 AND 100", name="message_id_length"),
        CheckConstraint("char_length(type) BETWEEN 1 AND 32", name="type_length"),
        CheckConstraint("char_length(error) <= 200", name="error_length"),
        CheckConstraint("char_length(response_excerpt) <= 500", name="response_excerpt_length"),
        CheckConstraint("duration_ms >= 0", name="duration_not_negative"),
        Index("ix_webhook_attempts_webhook_id_created_at_id", "webhook_id", "created_at", "id"),
        Index("ix_webhook_attempts_webhook_id_message_id", "webhook_id", "message_id"),
        Index("ix_webhook_attempts_created_at", "created_at"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    webhook_id: UUID = Field(sa_column=id_column())
    message_id: str = Field(sa_column=text_column())
    # A value of WebhookEventType, or that of a test.
    type: str = Field(sa_column=text_column())
    # What the message is about; null and empty for a test.
    article_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    version: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    comment_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    occurred_at: datetime = Field(sa_column=time_column())
    # Counts the attempts at the message, from 1.
    attempt: int
    # Of the response; null without one.
    status: int | None = Field(default=None)
    duration_ms: int
    # Null where the attempt succeeded.
    error: str | None = Field(default=None, sa_column=text_column(nullable=True))
    response_excerpt: str | None = Field(default=None, sa_column=text_column(nullable=True))
    created_at: datetime = Field(sa_column=time_column())
