"""The outbox: what happened, written in the transaction in which it happened."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.metadata import reference_column, text_column, time_column


class OutboxEvent(SQLModel, table=True):
    """One event. Where it changed a thread, `version` is the article's version that it made."""

    __tablename__: ClassVar[str] = "events"
    __table_args__ = (
        # No gap and no double in an article's versions; also the order in which they are told.
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
    # Tries that failed, and when the next one is due.
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    retry_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # When the worker had done everything that follows from it.
    relayed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
