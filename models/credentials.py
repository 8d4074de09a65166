"""Credentials: the bearer tokens that requests carry, one row each, whatever kind they are."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, reference_column, time_column


class CredentialKind(StrEnum):
    """What a token was issued to."""

    SESSION = "session"
    API_TOKEN = "api_token"  # noqa: S105 - a kind of token, not a token


class Credential(SQLModel, table=True):
    """A token that identifies a person. Only its SHA-256 hash is stored."""

    __tablename__: ClassVar[str] = "credentials"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_length"),
        CheckConstraint("(kind = 'session') = (session_id IS NOT NULL)", name="session_of_kind"),
        CheckConstraint("cardinality(scopes) <= 50", name="scopes_count"),
        Index("ix_credentials_user_id", "user_id"),
        Index("ix_credentials_session_id", "session_id"),
        Index("ix_credentials_expires_at", "expires_at"),
    )

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    kind: CredentialKind = Field(sa_column=enum_column(CredentialKind))
    # The session that an access token belongs to: it is good for as long as the session lasts.
    session_id: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid(), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=True),
    )
    # What may be done with it ("comments:write"); null: everything that the person may do.
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
