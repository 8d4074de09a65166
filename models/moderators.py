"""Moderators of single articles and tags, beside those whose role covers the whole forum."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import id_column, reference_column, text_column, time_column


class ModeratorAssignment(SQLModel, table=True):
    """One article, or one tag, whose discussions a person moderates."""

    __tablename__: ClassVar[str] = "moderator_assignments"
    __table_args__ = (
        CheckConstraint("num_nonnulls(article_id, tag) = 1", name="one_subject"),
        CheckConstraint("char_length(tag) BETWEEN 1 AND 32", name="tag_length"),
        Index(
            "uq_moderator_assignments_article",
            "user_id",
            "article_id",
            unique=True,
            postgresql_where=sql("article_id IS NOT NULL"),
        ),
        Index(
            "uq_moderator_assignments_tag",
            "user_id",
            "tag",
            unique=True,
            postgresql_where=sql("tag IS NOT NULL"),
        ),
        # Asked with every request that has credentials.
        Index("ix_moderator_assignments_user_id", "user_id"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    article_id: UUID | None = Field(
        default=None, sa_column=reference_column("articles.id", nullable=True)
    )
    tag: str | None = Field(default=None, sa_column=text_column(nullable=True))
    created_by: UUID = Field(sa_column=reference_column("users.id"))
    created_at: datetime = Field(sa_column=time_column())
