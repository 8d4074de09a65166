"""Events, written in the transaction in which they happened, and their deliveries."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.metadata import reference_column, text_column, time_column


class OutboxEvent(SQLModel, table=True):
    """One event. Where it changed a thread, `version` is the article's version that it made."""

    __tablename__: ClassVar[str] = "events"
    __table_args__ = (
        # An article's versions have no gaps and no duplicates; events are read in their order.
        Index("uq_events_article_id_version", "article_id", "version", unique=True),
        Index("ix_events_waiting", "id", postgresql_where=sql("relayed_at IS NULL")),
        Index("ix_events_relayed_at", "relayed_at", postgresql_where=sql("relayed_at IS NOT NULL")),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    type: str = Field(sa_column=text_column())
    article_id: UUID | None = Field(
        default=None, sa_column=reference_column("articles.id", nullable=True)
    )
    version: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    # When the relay had made its deliveries.
    relayed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class Delivery(SQLModel, table=True):
    """What a consumer still has to do for an event and a target. It is deleted when it is done.

    `event_id` is no foreign key: it would lock the event's row once more for each delivery. Events
    with deliveries are not purged.
    """

    __tablename__: ClassVar[str] = "deliveries"
    __table_args__ = (
        CheckConstraint("char_length(target) <= 300", name="target_length"),
        CheckConstraint("char_length(last_error) <= 500", name="last_error_length"),
        # An event is not turned into deliveries twice.
        Index(
            "uq_deliveries_event_id_consumer_target",
            *("event_id", "consumer", "target"),
            unique=True,
        ),
        Index(
            "ix_deliveries_due", "consumer", "due_at", "id", postgresql_where=sql("dead_at IS NULL")
        ),
        Index("ix_deliveries_dead_at", "dead_at", postgresql_where=sql("dead_at IS NOT NULL")),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    event_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    consumer: str = Field(sa_column=text_column())
    # Empty for a consumer that has only one.
    target: str = Field(sa_column=text_column())
    # How often it was claimed since it was made, or since an operator asked for a retry.
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # When it may be claimed; for a claimed one, when the lease ends.
    due_at: datetime = Field(sa_column=time_column())
    created_at: datetime = Field(sa_column=time_column())
    # When it was given up.
    dead_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    last_error: str | None = Field(default=None, sa_column=text_column(nullable=True))
