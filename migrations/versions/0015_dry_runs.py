"""Dry runs of rules.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dry_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("comment_limit", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("scanned", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("matched", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("matches", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_dry_runs_{name}"))
            for name, condition in (
                ("comment_limit_bounded", "comment_limit BETWEEN 1 AND 10000"),
                ("scanned_bounded", "scanned BETWEEN 0 AND comment_limit"),
                ("matched_bounded", "matched BETWEEN 0 AND scanned"),
                ("matches_bounded", "jsonb_array_length(matches) <= 1000"),
            )
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_dry_runs_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dry_runs")),
    )
    op.create_index("ix_dry_runs_created_at", "dry_runs", ["created_at"])


def downgrade() -> None:
    op.drop_table("dry_runs")
