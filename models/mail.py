"""Mail: up to where a person's digests have come."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, reference_column, time_column
from models.notifications import MailFrequency


class MailDigest(SQLModel, table=True):
    """The last digest of a frequency that was scheduled for a person."""

    __tablename__: ClassVar[str] = "mail_digests"

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    frequency: MailFrequency = Field(sa_column=enum_column(MailFrequency, primary_key=True))
    # Of the inbox: what came in later is for the next digest.
    last_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    scheduled_at: datetime = Field(sa_column=time_column())
