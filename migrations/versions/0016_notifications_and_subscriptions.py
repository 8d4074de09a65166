"""Notifications, subscriptions and read states.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = (
    *("mention", "comment_reply", "article_reply", "followed", "new_article"),
    *("decision", "appeal", "webhook_disabled"),
)
_LEVELS = ("all", "replies", "mute")
_FREQUENCIES = ("immediately", "daily", "weekly", "never")


def _enum(table: str, column: str, values: tuple[str, ...], *, name: str) -> list[SchemaItem]:
    listed = ", ".join(f"'{value}'" for value in values)
    return [
        sa.Column(column, sa.String(16), nullable=False),
        sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{name}")),
    ]


def _reference(table: str, column: str, target: str, *, nullable: bool) -> list[SchemaItem]:
    return [
        sa.Column(column, sa.Uuid(), nullable=nullable),
        sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}")),
    ]


def upgrade() -> None:
    op.create_table(
        "inboxes",
        *_reference("inboxes", "user_id", "users.id", nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_inboxes")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_reference("notifications", "user_id", "users.id", nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *_enum("notifications", "kind", _KINDS, name="notificationkind"),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        *_reference("notifications", "actor_id", "users.id", nullable=True),
        *_reference("notifications", "article_id", "articles.id", nullable=True),
        *_reference("notifications", "comment_id", "comments.id", nullable=True),
        *_reference("notifications", "log_id", "moderation_log.id", nullable=True),
        *_reference("notifications", "appeal_id", "appeals.id", nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "uq_notifications_user_id_number", "notifications", ["user_id", "number"], unique=True
    )
    op.create_index(
        "uq_notifications_user_id_object_id", "notifications", ["user_id", "object_id"], unique=True
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id", "number"],
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index(
        "ix_notifications_article_id_user_id", "notifications", ["article_id", "user_id"]
    )
    for column in ("comment_id", "actor_id", "log_id", "appeal_id", "created_at"):
        op.create_index(f"ix_notifications_{column}", "notifications", [column])
    op.create_table(
        "notification_settings",
        *_reference("notification_settings", "user_id", "users.id", nullable=False),
        sa.Column(
            "follows_own_threads", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_settings")),
    )
    op.create_table(
        "notification_channels",
        *_reference("notification_channels", "user_id", "users.id", nullable=False),
        *_enum("notification_channels", "kind", _KINDS, name="notificationkind"),
        *_enum("notification_channels", "mail", _FREQUENCIES, name="mailfrequency"),
        sa.Column("push", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_channels")),
    )
    op.create_table(
        "read_states",
        *_reference("read_states", "user_id", "users.id", nullable=False),
        *_reference("read_states", "article_id", "articles.id", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_read_states_version_not_negative")),
        sa.PrimaryKeyConstraint("user_id", "article_id", name=op.f("pk_read_states")),
    )
    op.create_index("ix_read_states_article_id", "read_states", ["article_id"])
    op.create_table(
        "article_subscriptions",
        *_reference("article_subscriptions", "user_id", "users.id", nullable=False),
        *_reference("article_subscriptions", "article_id", "articles.id", nullable=False),
        *_enum("article_subscriptions", "level", _LEVELS, name="subscriptionlevel"),
        sa.Column("is_automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "article_id", name=op.f("pk_article_subscriptions")),
    )
    op.create_index("ix_article_subscriptions_article_id", "article_subscriptions", ["article_id"])
    op.create_table(
        "user_subscriptions",
        *_reference("user_subscriptions", "user_id", "users.id", nullable=False),
        *_reference("user_subscriptions", "followed_id", "users.id", nullable=False),
        *_enum("user_subscriptions", "level", _LEVELS, name="subscriptionlevel"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "user_id <> followed_id", name=op.f("ck_user_subscriptions_somebody_else")
        ),
        sa.PrimaryKeyConstraint("user_id", "followed_id", name=op.f("pk_user_subscriptions")),
    )
    op.create_index("ix_user_subscriptions_followed_id", "user_subscriptions", ["followed_id"])
    op.create_table(
        "tag_subscriptions",
        *_reference("tag_subscriptions", "user_id", "users.id", nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        *_enum("tag_subscriptions", "level", _LEVELS, name="subscriptionlevel"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 32", name=op.f("ck_tag_subscriptions_tag_length")
        ),
        sa.PrimaryKeyConstraint("user_id", "tag", name=op.f("pk_tag_subscriptions")),
    )
    op.create_index("ix_tag_subscriptions_tag", "tag_subscriptions", ["tag"])


def downgrade() -> None:
    for table in (
        *("tag_subscriptions", "user_subscriptions", "article_subscriptions", "read_states"),
        *("notification_channels", "notification_settings", "notifications", "inboxes"),
    ):
        op.drop_table(table)
