"""Comments: an adjacency list that one index a sort order makes a tree."""

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
    Index,
    Integer,
    SmallInteger,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from models import ranking
from models.metadata import enum_column, id_column, reference_column, text_column, time_column

LISTED = sql("listed")
# The condition of the index of a person's comments, for `api.auth`, which is below those that say
# who sees a comment.
PUBLISHED = "state = 'visible'"

# Levels below the roots. Deeper threads are quarrels of two, and each reply counts its ancestors.
MAX_DEPTH = 200


class CommentState(StrEnum):
    """What readers see of a comment; `api.comments.lifecycle` says what can follow what."""

    # Held before it was ever shown.
    PENDING = "pending"
    VISIBLE = "visible"
    # Not shown until somebody has looked at it.
    HIDDEN = "hidden"
    # By a moderator, who can restore it.
    REMOVED = "removed"
    # By its author.
    DELETED = "deleted"


class Comment(SQLModel, table=True):
    """A reply to an article (`parent_id` null) or to another comment under the same article."""

    __tablename__: ClassVar[str] = "comments"
    __table_args__ = (
        CheckConstraint("char_length(body) BETWEEN 1 AND 10000", name="body_length"),
        CheckConstraint(f"depth BETWEEN 0 AND {MAX_DEPTH}", name="depth_bounded"),
        CheckConstraint("cardinality(ancestor_ids) = depth", name="ancestors_match_depth"),
        CheckConstraint("(parent_id IS NULL) = (depth = 0)", name="roots_have_no_parent"),
        CheckConstraint(
            "up >= 0 AND down >= 0 AND reply_count >= 0 AND descendant_count >= 0",
            name="counters_not_negative",
        ),
        CheckConstraint("state <> 'pending' OR NOT listed", name="pending_is_not_listed"),
        CheckConstraint(
            "listed = (state = 'visible' OR reply_count > 0)", name="listed_follows_from_state"
        ),
        CheckConstraint("state <> 'visible' OR is_announced", name="visible_is_announced"),
        # One index a sort order. `under_id` lets it serve roots and replies alike.
        Index("ix_comments_time", "under_id", "created_at", "id", postgresql_where=LISTED),
        Index("ix_comments_best", "under_id", sql("best DESC"), "id", postgresql_where=LISTED),
        Index("ix_comments_top", "under_id", sql("score DESC"), "id", postgresql_where=LISTED),
        Index("ix_comments_hot", "under_id", sql("hot DESC"), "id", postgresql_where=LISTED),
        Index(
            "ix_comments_controversial",
            "under_id",
            sql("controversy DESC"),
            "id",
            postgresql_where=LISTED,
        ),
        Index("ix_comments_flat", "article_id", "created_at", "id", postgresql_where=LISTED),
        Index(
            "ix_comments_author",
            "author_id",
            "created_at",
            "id",
            postgresql_where=sql(PUBLISHED),
        ),
        # The record of a person, for moderators: what of theirs is not shown.
        Index(
            "ix_comments_withheld",
            "author_id",
            "state",
            postgresql_where=sql("state IN ('pending', 'hidden', 'removed')"),
        ),
        # Who is in a thread: asked for each mention, and for each name while it is typed.
        Index(
            "ix_comments_people",
            "article_id",
            "author_id",
            postgresql_where=sql("state = 'visible'"),
        ),
        # What is new in a thread since a version that a person has read.
        Index(
            "ix_comments_published",
            "article_id",
            "published_version",
            postgresql_where=sql("state = 'visible' AND published_version IS NOT NULL"),
        ),
        # An import that runs twice finds its own comments again.
        Index(
            "uq_comments_external_id",
            "article_id",
            "external_id",
            unique=True,
            postgresql_where=sql("external_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    article_id: UUID = Field(sa_column=reference_column("articles.id"))
    parent_id: UUID | None = Field(
        default=None, sa_column=reference_column("comments.id", nullable=True)
    )
    under_id: UUID = Field(
        default=None,
        sa_column=Column(
            Uuid(),
            Computed("coalesce(parent_id, article_id)", persisted=True),
            nullable=False,
        ),
    )
    # From the root down to the parent.
    ancestor_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    depth: int = Field(sa_column=Column(SmallInteger, nullable=False))
    # Null for an imported comment whose page named no author.
    author_id: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    external_id: str | None = Field(default=None, sa_column=text_column(nullable=True))
    body: str = Field(sa_column=text_column())
    html: str = Field(sa_column=text_column())
    # How many mentions stand in the body: a page looks them up only where there are some.
    mention_count: int = Field(
        default=0, sa_column=Column(SmallInteger, nullable=False, server_default=sql("0"))
    )
    state: CommentState = Field(
        default=CommentState.VISIBLE,
        sa_column=enum_column(CommentState, server_default=sql("'visible'")),
    )
    # In the public tree: visible, or a placeholder with listed replies under it.
    listed: bool = Field(default=True, sa_column_kwargs={"server_default": sql("true")})
    # Whether it has ever been visible: people are notified of it once.
    is_announced: bool = Field(default=True, sa_column_kwargs={"server_default": sql("true")})
    # Whether a shadow ban alone keeps it from being seen: its author must not notice. Any decision
    # about its state ends that.
    is_shadowed: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    up: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    down: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    score: int = Field(
        default=None,
        sa_column=Column(Integer, Computed(ranking.SCORE, persisted=True), nullable=False),
    )
    best: float = Field(
        default=None,
        sa_column=Column(Double, Computed(ranking.BEST, persisted=True), nullable=False),
    )
    hot: float = Field(
        default=None,
        sa_column=Column(Double, Computed(ranking.HOT, persisted=True), nullable=False),
    )
    controversy: float = Field(
        default=None,
        sa_column=Column(Double, Computed(ranking.CONTROVERSY, persisted=True), nullable=False),
    )
    # Listed replies directly under this one, and at every depth under it.
    reply_count: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    descendant_count: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # The article's version at the last change of this comment that a reader could see.
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    # The one that showed it for the first time. Null while it never was, and for comments from
    # before this was noted, which are new to nobody.
    published_version: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    created_at: datetime = Field(sa_column=time_column())
    edited_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class CommentRevision(SQLModel, table=True):
    """The text that a comment had before an edit; the newest stands in the comment itself."""

    __tablename__: ClassVar[str] = "comment_revisions"
    __table_args__ = (
        CheckConstraint("char_length(body) BETWEEN 1 AND 10000", name="body_length"),
        CheckConstraint("revision >= 1", name="revision_positive"),
    )

    comment_id: UUID = Field(sa_column=reference_column("comments.id", primary_key=True))
    # That of the comment while it had this text.
    revision: int = Field(primary_key=True)
    body: str = Field(sa_column=text_column())
    html: str = Field(sa_column=text_column())
    # Who replaced this text, and when.
    edited_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    created_at: datetime = Field(sa_column=time_column())


class SlowModeTurn(SQLModel, table=True):
    """When a person last commented under an article in slow mode, in whatever state."""

    __tablename__: ClassVar[str] = "slow_mode_turns"

    article_id: UUID = Field(sa_column=reference_column("articles.id", primary_key=True))
    user_id: UUID = Field(sa_column=reference_column("users.id", primary_key=True))
    last_at: datetime = Field(sa_column=time_column())


class CommentMention(SQLModel, table=True):
    """Who is meant by a stretch of a comment's body: offsets in Unicode code points, half open."""

    __tablename__: ClassVar[str] = "comment_mentions"
    __table_args__ = (
        CheckConstraint("start_offset >= 0 AND end_offset > start_offset", name="offsets_in_order"),
        Index("ix_comment_mentions_user_id", "user_id"),
    )

    comment_id: UUID = Field(sa_column=reference_column("comments.id", primary_key=True))
    start_offset: int = Field(primary_key=True)
    end_offset: int
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    # As the author wrote it, "@" included; the person may be called otherwise by now.
    text: str = Field(sa_column=text_column())
