"""People, and the handles that lead to them."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column


class Role(StrEnum):
    """What a person may do beyond writing under their own name."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class User(SQLModel, table=True):
    """A person. Without `password_hash` nobody can log in: an author who came with an import."""

    __tablename__: ClassVar[str] = "users"
    __table_args__ = (
        # The current handle is one that this person owns; deferred, since each row names the other.
        ForeignKeyConstraint(
            ["handle", "id"],
            ["handles.handle", "handles.user_id"],
            name="fk_users_current_handle",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        CheckConstraint("char_length(display_name) BETWEEN 1 AND 64", name="display_name_length"),
        CheckConstraint("char_length(email) <= 254", name="email_length"),
        CheckConstraint("char_length(avatar_url) <= 2048", name="avatar_url_length"),
        Index("ix_users_name_key", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
        Index("uq_users_handle", "handle", unique=True),
        Index("uq_users_email_key", "email_key", unique=True),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    handle: str = Field(sa_column=text_column())
    display_name: str = Field(sa_column=text_column())
    # NFKC, case-folded, spaces collapsed: what "@Lee Stevenson" is looked up by.
    name_key: str = Field(sa_column=text_column())
    email: str | None = Field(default=None, sa_column=text_column(nullable=True))
    # The address in lower case, where it can be logged in with: one account an address.
    email_key: str | None = Field(default=None, sa_column=text_column(nullable=True))
    password_hash: str | None = Field(default=None, sa_column=text_column(nullable=True))
    role: Role = Field(
        default=Role.MEMBER,
        sa_column=enum_column(Role, server_default=sql("'member'")),
    )
    avatar_url: str | None = Field(default=None, sa_column=text_column(nullable=True))
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())


class Handle(SQLModel, table=True):
    """A handle that a person has or had; it stays theirs.

    Old links and mentions still lead to them, and nobody can take a name that others know.
    """

    __tablename__: ClassVar[str] = "handles"
    __table_args__ = (
        CheckConstraint("char_length(handle) BETWEEN 2 AND 32", name="handle_length"),
        # A target for users' composite key; the primary key alone already makes it unique.
        Index("uq_handles_handle_user_id", "handle", "user_id", unique=True),
        Index("ix_handles_user_id", "user_id"),
        # Two handles that look alike have one skeleton ("rn" and "m", "1", "i" and "l").
        Index("uq_handles_skeleton", "skeleton", unique=True),
        Index("ix_handles_prefix", "handle", postgresql_ops={"handle": "text_pattern_ops"}),
    )

    handle: str = Field(sa_column=text_column(primary_key=True))
    skeleton: str = Field(sa_column=text_column())
    user_id: UUID = Field(sa_column=reference_column("users.id"))
    created_at: datetime = Field(sa_column=time_column())
