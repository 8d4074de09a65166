"""Digests by mail.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_digests",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("frequency", sa.String(16), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "frequency IN ('immediately', 'daily', 'weekly', 'never')",
            name=op.f("ck_mail_digests_mailfrequency"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mail_digests_user_id")),
        sa.PrimaryKeyConstraint("user_id", "frequency", name=op.f("pk_mail_digests")),
    )
    op.create_index(
        "ix_notification_channels_digests",
        "notification_channels",
        ["mail", "user_id"],
        postgresql_where=sa.text("mail IN ('daily', 'weekly')"),
    )


def downgrade() -> None:
    op.drop_index("ix_notification_channels_digests", table_name="notification_channels")
    op.drop_table("mail_digests")
