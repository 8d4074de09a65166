"""Sessions: one row per device that is logged in, whose refresh token changes at each use."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.metadata import id_column, reference_column, text_column, time_column


class LoginSession(SQLModel, table=True):
    """A session. Tokens are kept as SHA-256 hashes: the table contains none that can be used.

    The access token of a session is a row of `credentials`.
    """

    __tablename__: ClassVar[str] = "sessions"
    __table_args__ = (
        CheckConstraint("char_length(user_agent) <= 256", name="user_agent_length"),
        CheckConstraint("octet_length(address_hash) = 32", name="address_hash_length"),
        Index("ix_sessions_user_id_address_hash", "user_id", "address_hash"),
        Index("ix_sessions_expires_at", "expires_at"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    # The token before this one: within the grace a retry of the same refresh, after it a theft.
    previous_token_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    rotated_at: datetime = Field(sa_column=time_column())
    user_agent: str | None = Field(default=None, sa_column=text_column(nullable=True))
    # Where the person logged in from, as a keyed hash: attempts from there are counted
    # apart from those of strangers. Deleted with the row.
    address_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    revoked_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
