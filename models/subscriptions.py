"""What people follow: articles, people and tags."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, reference_column, text_column, time_column


class SubscriptionLevel(StrEnum):
    """Of what a person is notified."""

    # Of each new comment, and of each new article by the person or under the tag.
    ALL = "all"
    # Of replies to their own texts, and of mentions: as without a subscription.
    REPLIES = "replies"
    # Of nothing.
    MUTE = "mute"


class ArticleSubscription(SQLModel, table=True):
    """A person follows an article's thread, or muted it."""

    __tablename__: ClassVar[str] = "article_subscriptions"
    __table_args__ = (
        Index("ix_article_subscriptions_followers", "article_id", "level", "user_id"),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    level: SubscriptionLevel = Field(sa_column=enum_column(SubscriptionLevel))
    # Made by the person's first comment in the thread, not by a choice.
    is_automatic: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    created_at: datetime = Field(sa_column=time_column())


class UserSubscription(SQLModel, table=True):
    """A person follows another one, or muted them."""

    __tablename__: ClassVar[str] = "user_subscriptions"
    __table_args__ = (
        CheckConstraint("user_id <> followed_id", name="somebody_else"),
        Index("ix_user_subscriptions_followers", "followed_id", "level", "user_id"),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    followed_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    level: SubscriptionLevel = Field(sa_column=enum_column(SubscriptionLevel))
    created_at: datetime = Field(sa_column=time_column())


class TagSubscription(SQLModel, table=True):
    """A person follows a tag, or muted it."""

    __tablename__: ClassVar[str] = "tag_subscriptions"
    __table_args__ = (
        CheckConstraint("char_length(tag) BETWEEN 1 AND 32", name="tag_length"),
        Index("ix_tag_subscriptions_followers", "tag", "level", "user_id"),
    )

    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    tag: str = Field(sa_column=text_column(primary_key=True))
    level: SubscriptionLevel = Field(sa_column=enum_column(SubscriptionLevel))
    created_at: datetime = Field(sa_column=time_column())
