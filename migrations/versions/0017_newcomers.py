"""Let published comments, rather than the age of an account, end the limits for newcomers.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "screening_settings",
        sa.Column(
            "newcomer_approved_comments",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
        ),
    )
    op.create_check_constraint(
        op.f("ck_screening_settings_newcomers_bounded"),
        "screening_settings",
        "newcomer_approved_comments BETWEEN 0 AND 100",
    )


def downgrade() -> None:
    op.drop_column("screening_settings", "newcomer_approved_comments")
