"""Responses stored for a day, so that a request sent twice is carried out once."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.metadata import text_column, time_column


class IdempotencyKey(SQLModel, table=True):
    """The response to the first request with this key, committed with what it changed."""

    __tablename__: ClassVar[str] = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 255", name="key_length"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    # A person, or the keyed hash of an address: two clients may choose the same key.
    owner: str = Field(sa_column=text_column(primary_key=True))
    key: str = Field(sa_column=text_column(primary_key=True))
    # HMAC of method, path and body: the same key with another request is an error.
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int = Field(sa_column=Column(SmallInteger, nullable=False))
    headers: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
