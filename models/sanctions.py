"""Sanctions: what staff decided about a person, for a time or until it is lifted."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column
from models.moderation import ModerationReason


class SanctionKind(StrEnum):
    """What a sanction does."""

    # For staff only; it restricts nothing.
    NOTE = "note"
    # The person reads it; it restricts nothing.
    WARNING = "warning"
    # The person can read, and publishes nothing.
    SILENCE = "silence"
    # The person can read, log in and appeal, and nothing else.
    BAN = "ban"
    # What the person writes is shown to them alone; they are not told.
    SHADOW_BAN = "shadow_ban"
    # What the person writes waits for a moderator.
    PRE_MODERATION = "pre_moderation"


# Those that change what a person can do while they are active.
RESTRICTING = frozenset(
    {
        SanctionKind.SILENCE,
        SanctionKind.BAN,
        SanctionKind.SHADOW_BAN,
        SanctionKind.PRE_MODERATION,
    }
)
# Those that the person is told of, with their reasons.
TOLD = frozenset({SanctionKind.WARNING, SanctionKind.SILENCE, SanctionKind.BAN})


class Sanction(SQLModel, table=True):
    """A sanction of a person.

    It is active from `starts_at` until `ends_at` (null: without an end), unless it is lifted.
    """

    __tablename__: ClassVar[str] = "sanctions"
    __table_args__ = (
        CheckConstraint("char_length(message) <= 1000", name="message_length"),
        CheckConstraint("char_length(note) <= 1000", name="note_length"),
        CheckConstraint("ends_at > starts_at", name="ends_after_its_start"),
        CheckConstraint("lifted_at IS NOT NULL OR lifted_by IS NULL", name="lifted_at_a_time"),
        # Asked with every request that has credentials: what restricts the person now.
        Index(
            "ix_sanctions_restricting",
            "user_id",
            postgresql_where=sql("lifted_at IS NULL AND kind NOT IN ('note', 'warning')"),
        ),
        Index("ix_sanctions_user_id", "user_id", "starts_at", "id"),
        Index("ix_sanctions_log_id", "log_id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    kind: SanctionKind = Field(sa_column=enum_column(SanctionKind))
    reason: ModerationReason = Field(sa_column=enum_column(ModerationReason))
    # What the person reads beside the reason.
    message: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    # For staff only.
    note: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    starts_at: datetime = Field(sa_column=time_column())
    ends_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # Null for the operator at the command line.
    created_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    # The decision in the moderation log; null for a restriction of before there was one.
    log_id: UUID | None = Field(
        default=None, sa_column=reference_column("moderation_log.id", nullable=True)
    )
    lifted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    lifted_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
