"""Tickets that open event streams."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.metadata import time_column


class StreamTicket(SQLModel, table=True):
    """What a browser opens one stream with, in a URL. Only its SHA-256 hash is stored.

    It stands for the credential that it was made with, for as long as that is valid. The reference
    is no foreign key: whoever ends a session need not know of tickets.
    """

    __tablename__: ClassVar[str] = "stream_tickets"
    __table_args__ = (
        CheckConstraint("octet_length(ticket_hash) = 32", name="ticket_hash_length"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_length"),
        Index("ix_stream_tickets_expires_at", "expires_at"),
    )

    ticket_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    # That of the credential.
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expires_at: datetime = Field(sa_column=time_column())
