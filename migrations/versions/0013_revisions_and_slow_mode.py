"""Texts before edits, and who commented when under articles in slow mode.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comment_revisions",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(body) BETWEEN 1 AND 10000", name=op.f("ck_comment_revisions_body_length")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_comment_revisions_revision_positive")),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_comment_revisions_comment_id")
        ),
        sa.ForeignKeyConstraint(
            ["edited_by"], ["users.id"], name=op.f("fk_comment_revisions_edited_by")
        ),
        sa.PrimaryKeyConstraint("comment_id", "revision", name=op.f("pk_comment_revisions")),
    )
    op.create_table(
        "slow_mode_turns",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_slow_mode_turns_article_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_slow_mode_turns_user_id")),
        sa.PrimaryKeyConstraint("article_id", "user_id", name=op.f("pk_slow_mode_turns")),
    )


def downgrade() -> None:
    op.drop_table("slow_mode_turns")
    op.drop_table("comment_revisions")
