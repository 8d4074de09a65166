"""Votes: one a person and target, and which scores readers have not been shown yet."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, SmallInteger
from sqlmodel import Field, SQLModel

from models.metadata import id_column, reference_column, time_column


class ArticleVote(SQLModel, table=True):
    """A person's vote on an article: 1 or -1. A vote that was removed has no row."""

    __tablename__: ClassVar[str] = "article_votes"
    __table_args__ = (
        CheckConstraint("value IN (-1, 1)", name="value_up_or_down"),
        Index("ix_article_votes_article_id", "article_id"),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    value: int = Field(sa_column=Column(SmallInteger, nullable=False))
    voted_at: datetime = Field(sa_column=time_column())


class CommentVote(SQLModel, table=True):
    """A person's vote on a comment: 1 or -1. A vote that was removed has no row."""

    __tablename__: ClassVar[str] = "comment_votes"
    __table_args__ = (
        CheckConstraint("value IN (-1, 1)", name="value_up_or_down"),
        Index("ix_comment_votes_comment_id", "comment_id"),
    )

    # With the article in the key, one range of it is what a reader voted on in a thread.
    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    comment_id: UUID = Field(sa_column=reference_column("comments.id", primary_key=True))
    value: int = Field(sa_column=Column(SmallInteger, nullable=False))
    voted_at: datetime = Field(sa_column=time_column())


class ScoreChange(SQLModel, table=True):
    """An article or a comment whose score changed since its thread's version last did."""

    __tablename__: ClassVar[str] = "score_changes"
    __table_args__ = (Index("ix_score_changes_article_id", "article_id"),)

    # Of the comment, or of the article itself.
    target_id: UUID = Field(sa_column=id_column(primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id"))
