"""Indexes that find followers in order, and read notifications.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Of an article, a person, a tag: who follows it, in the order of their ids.
_FOLLOWERS = (
    ("article_subscriptions", "article_id"),
    ("user_subscriptions", "followed_id"),
    ("tag_subscriptions", "tag"),
)
# Of few notifications only: rows without one take no place in the index.
_RARE = ("log_id", "appeal_id")


def upgrade() -> None:
    for table, column in _FOLLOWERS:
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_followers", table, [column, "level", "user_id"])
    for column in _RARE:
        op.drop_index(f"ix_notifications_{column}", "notifications")
        op.create_index(
            f"ix_notifications_{column}",
            "notifications",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    for name, columns in (("read", ["user_id", "number"]), ("read_at", ["read_at"])):
        op.create_index(
            f"ix_notifications_{name}",
            "notifications",
            columns,
            postgresql_where=sa.text("read_at IS NOT NULL"),
        )


def downgrade() -> None:
    for name in ("read", "read_at"):
        op.drop_index(f"ix_notifications_{name}", "notifications")
    for column in _RARE:
        op.drop_index(f"ix_notifications_{column}", "notifications")
        op.create_index(f"ix_notifications_{column}", "notifications", [column])
    for table, column in _FOLLOWERS:
        op.drop_index(f"ix_{table}_followers", table)
        op.create_index(f"ix_{table}_{column}", table, [column])
