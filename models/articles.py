"""Articles, and the version that orders everything under them."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Double,
    ForeignKey,
    Index,
    Integer,
    Uuid,
)
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models import ranking
from models.metadata import enum_column, id_column, reference_column, text_column, time_column

SHOWN = sql("deleted_at IS NULL")

MAX_SLOW_MODE_SECONDS = 24 * 60 * 60
MAX_NOTICE_LENGTH = 1000


class ArticleState(StrEnum):
    """What readers see of an article; `api.articles.lifecycle` says what can follow what."""

    VISIBLE = "visible"
    # By a moderator, who can restore it.
    REMOVED = "removed"
    # By its author.
    DELETED = "deleted"


class Article(SQLModel, table=True):
    """An article. `version` grows by one with each change of it or of its thread."""

    __tablename__: ClassVar[str] = "articles"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 300", name="title_length"),
        CheckConstraint("char_length(slug) BETWEEN 1 AND 120", name="slug_length"),
        CheckConstraint("char_length(body) <= 20000", name="body_length"),
        CheckConstraint("char_length(url) <= 2048", name="url_length"),
        CheckConstraint("char_length(external_id) BETWEEN 1 AND 255", name="external_id_length"),
        CheckConstraint(
            "comment_count >= 0 AND reply_count >= 0 AND up >= 0 AND down >= 0",
            name="counters_not_negative",
        ),
        CheckConstraint(
            "(state = 'visible') = (deleted_at IS NULL)", name="deleted_at_follows_from_state"
        ),
        CheckConstraint(
            f"slow_mode_seconds BETWEEN 0 AND {MAX_SLOW_MODE_SECONDS}", name="slow_mode_bounded"
        ),
        CheckConstraint(
            f"char_length(notice) BETWEEN 1 AND {MAX_NOTICE_LENGTH}", name="notice_length"
        ),
        Index("uq_articles_slug", "slug", unique=True),
        Index("uq_articles_external_id", "external_id", unique=True),
        Index("ix_articles_new", "created_at", "id", postgresql_where=SHOWN),
        Index("ix_articles_active", "last_activity_at", "id", postgresql_where=SHOWN),
        Index("ix_articles_top", "score", "id", postgresql_where=SHOWN),
        Index("ix_articles_hot", "hot", "id", postgresql_where=SHOWN),
        Index("ix_articles_author", "author_id", "created_at", "id", postgresql_where=SHOWN),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    slug: str = Field(sa_column=text_column())
    title: str = Field(sa_column=text_column())
    body: str = Field(sa_column=text_column())
    html: str = Field(sa_column=text_column())
    url: str | None = Field(default=None, sa_column=text_column(nullable=True))
    external_id: str | None = Field(default=None, sa_column=text_column(nullable=True))
    author_id: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    is_locked: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    # From then on it takes no replies, as if it were locked.
    closes_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    # Seconds between two comments of one person under it; 0 is off.
    slow_mode_seconds: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # Every comment of a member is held until a moderator approves it.
    is_pre_moderated: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    # Newcomers cannot reply.
    is_members_only: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    pinned_comment_id: UUID | None = Field(
        default=None,
        sa_column=Column(
            Uuid(),
            # The tables refer to each other: this reference is added when both exist.
            ForeignKey("comments.id", use_alter=True),
            nullable=True,
        ),
    )
    # Plain text that is shown above the thread.
    notice: str | None = Field(default=None, sa_column=text_column(nullable=True))
    version: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False, server_default=sql("0"))
    )
    # Edits of the article itself; a comment under it changes `version` alone.
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    # Visible comments at every depth.
    comment_count: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # Listed comments directly under the article, placeholders included: the roots of the tree.
    reply_count: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    up: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    down: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    score: int = Field(
        default=None,
        sa_column=Column(Integer, Computed(ranking.SCORE, persisted=True), nullable=False),
    )
    hot: float = Field(
        default=None,
        sa_column=Column(Double, Computed(ranking.HOT, persisted=True), nullable=False),
    )
    created_at: datetime = Field(sa_column=time_column())
    edited_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    last_activity_at: datetime = Field(sa_column=time_column())
    state: ArticleState = Field(
        default=ArticleState.VISIBLE,
        sa_column=enum_column(ArticleState, server_default=sql("'visible'")),
    )
    # When it left the visible state.
    deleted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ArticleTag(SQLModel, table=True):
    """A tag of an article, in lower case, with copies of what lists of a tag are sorted by.

    A trigger of `articles` makes the copies, whenever its version changes: an article's activity is
    copied once a second at most, its votes when they are published (docs/decisions/0020).
    """

    __tablename__: ClassVar[str] = "article_tags"
    __table_args__ = (
        CheckConstraint("char_length(tag) BETWEEN 1 AND 32", name="tag_length"),
        *(
            Index(
                f"ix_article_tags_{name}", "tag", key, "article_id", postgresql_where=sql("shown")
            )
            for name, key in (
                ("new", "created_at"),
                ("active", "last_activity_at"),
                ("top", "score"),
                ("hot", "hot"),
            )
        ),
    )

    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    tag: str = Field(sa_column=text_column(primary_key=True))
    # The author's order, which readers see.
    position: int
    created_at: datetime = Field(sa_column=time_column())
    last_activity_at: datetime = Field(sa_column=time_column())
    score: int
    hot: float = Field(sa_column=Column(Double, nullable=False))
    # False for a deleted article, so that a list does not walk over those.
    shown: bool


class TagSettings(SQLModel, table=True):
    """How articles with a tag are moderated; a tag without a row has no settings."""

    __tablename__: ClassVar[str] = "tag_settings"
    __table_args__ = (CheckConstraint("char_length(tag) BETWEEN 1 AND 32", name="tag_length"),)

    tag: str = Field(sa_column=text_column(primary_key=True))
    # As on an article, for all articles that have the tag.
    is_pre_moderated: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    updated_at: datetime = Field(sa_column=time_column())
