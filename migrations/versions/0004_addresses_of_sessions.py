"""Where each session was started from, as a keyed hash, to tell its owner from strangers.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("address_hash", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_sessions_address_hash_length"), "sessions", "octet_length(address_hash) = 32"
    )
    op.create_index(
        "ix_sessions_user_id_address_hash", "sessions", ["user_id", "address_hash"]
    )
    op.drop_index("ix_sessions_user_id", table_name="sessions")


def downgrade() -> None:
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.drop_index("ix_sessions_user_id_address_hash", table_name="sessions")
    op.drop_column("sessions", "address_hash")
