"""Dry runs: what rules would have found in the comments that are there."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.metadata import id_column, reference_column, time_column

MAX_DRY_RUN_COMMENTS = 10_000
MAX_DRY_RUN_MATCHES = 1_000


class DryRun(SQLModel, table=True):
    """A dry run; the worker writes down how far it is after each batch, and goes on from there."""

    __tablename__: ClassVar[str] = "dry_runs"
    __table_args__ = (
        CheckConstraint(
            f"comment_limit BETWEEN 1 AND {MAX_DRY_RUN_COMMENTS}", name="comment_limit_bounded"
        ),
        CheckConstraint("scanned BETWEEN 0 AND comment_limit", name="scanned_bounded"),
        CheckConstraint("matched BETWEEN 0 AND scanned", name="matched_bounded"),
        CheckConstraint(
            f"jsonb_array_length(matches) <= {MAX_DRY_RUN_MATCHES}", name="matches_bounded"
        ),
        Index("ix_dry_runs_created_at", "created_at"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    created_by: UUID = Field(sa_column=reference_column("users.id"))
    # Kind, value and action of each rule, as it was then.
    rules: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    comment_limit: int
    # The last comment that was looked at; from the newest to the oldest.
    last_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    scanned: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # Comments in which something was found.
    matched: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # The first of what was found: comment, index of the rule, start and end. No texts.
    matches: list[dict[str, Any]] = Field(
        default=[], sa_column=Column(JSONB, nullable=False, server_default=sql("'[]'"))
    )
    created_at: datetime = Field(sa_column=time_column())
    finished_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
