"""The epoch of the database: one row, part of every cache key and entity tag.

Revision ID: 0007
Revises: 0006
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "database_epoch",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "epoch ~ '^[0-9a-f]{16}$'", name=op.f("ck_database_epoch_epoch_format")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_database_epoch_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_epoch")),
    )
    # Settled at once: there was no epoch before it that a process could still use.
    op.execute(
        sa.text("INSERT INTO database_epoch VALUES (1, :epoch, '-infinity')").bindparams(
            epoch=secrets.token_hex(8)
        )
    )


def downgrade() -> None:
    op.drop_table("database_epoch")
