"""Appeals of people against decisions about them."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column


class AppealState(StrEnum):
    """What became of an appeal."""

    OPEN = "open"
    # The decision was undone.
    GRANTED = "granted"
    REFUSED = "refused"


class Appeal(SQLModel, table=True):
    """An appeal against a decision; at most one per decision."""

    __tablename__: ClassVar[str] = "appeals"
    __table_args__ = (
        CheckConstraint("char_length(text) BETWEEN 1 AND 2000", name="text_length"),
        CheckConstraint("char_length(decision_reason) <= 1000", name="decision_reason_length"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at_a_time"),
        Index("uq_appeals_log_id", "log_id", unique=True),
        Index("ix_appeals_user_id", "user_id", "created_at", "id"),
        Index("ix_appeals_state", "state", "created_at", "id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    # The decision in the moderation log.
    log_id: UUID = Field(sa_column=reference_column("moderation_log.id"))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    text: str = Field(sa_column=text_column())
    # Not named like the state of a comment, which only its lifecycle compares and writes.
    outcome: AppealState = Field(
        default=AppealState.OPEN,
        sa_column=enum_column(AppealState, name="state", server_default=sql("'open'")),
    )
    # Null while it is open, and for the operator at the command line.
    decided_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    # What the person reads about the decision.
    decision_reason: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    created_at: datetime = Field(sa_column=time_column())
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
