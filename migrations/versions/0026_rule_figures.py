"""Figures of rules by day, for when the decisions of screening are purged.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

PHASES = (
    *("shadow_ban", "pre_moderation", "article", "newcomer", "links", "words", "repetition"),
    *("external_check", "spam_score"),
)
COUNTS = ("held", "flagged", "rejected", "approved", "upheld")


def upgrade() -> None:
    op.create_table(
        "rule_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(*PHASES, name="phase", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.CheckConstraint(
            " AND ".join(f"{name} >= 0" for name in COUNTS),
            name=op.f("ck_rule_figures_counts_not_negative"),
        ),
        sa.PrimaryKeyConstraint(
            "day", "phase", "rule_id", "rule", name=op.f("pk_rule_figures")
        ),
    )


def downgrade() -> None:
    op.drop_table("rule_figures")
