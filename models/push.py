"""Web Push: the browsers that people are notified in."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Uuid
from sqlmodel import Field, SQLModel

from models.metadata import id_column, reference_column, text_column, time_column


class PushSubscription(SQLModel, table=True):
    """A browser that shows a person's notifications (RFC 8030, RFC 8291)."""

    __tablename__: ClassVar[str] = "push_subscriptions"
    __table_args__ = (
        CheckConstraint("char_length(endpoint) <= 2048", name="endpoint_length"),
        CheckConstraint("octet_length(p256dh) = 65", name="p256dh_length"),
        CheckConstraint("octet_length(auth) = 16", name="auth_length"),
        CheckConstraint("octet_length(server_key) = 65", name="server_key_length"),
        # A browser has one, whoever logs in there.
        Index("uq_push_subscriptions_endpoint", "endpoint", unique=True),
        Index("ix_push_subscriptions_user_id", "user_id"),
        Index("ix_push_subscriptions_session_id", "session_id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    # The session it was made in, with which it ends; null for an API token.
    session_id: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid(), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=True),
    )
    endpoint: str = Field(sa_column=text_column())
    # The browser's public key, an uncompressed point of P-256, and its secret.
    p256dh: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    auth: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    # The public key of this service that the browser was given: it takes messages of no other.
    server_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
