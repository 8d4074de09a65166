"""Votes, and the scores that readers have not been shown yet.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_votes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value IN (-1, 1)", name=op.f("ck_article_votes_value_up_or_down")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_article_votes_article_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_article_votes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "article_id", name=op.f("pk_article_votes")),
    )
    op.create_index("ix_article_votes_article_id", "article_votes", ["article_id"], unique=False)
    op.create_table(
        "score_changes",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_score_changes_article_id")
        ),
        sa.PrimaryKeyConstraint("target_id", name=op.f("pk_score_changes")),
    )
    op.create_index("ix_score_changes_article_id", "score_changes", ["article_id"], unique=False)
    op.create_table(
        "comment_votes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value IN (-1, 1)", name=op.f("ck_comment_votes_value_up_or_down")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_comment_votes_article_id")
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_comment_votes_comment_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_comment_votes_user_id")),
        sa.PrimaryKeyConstraint(
            "user_id", "article_id", "comment_id", name=op.f("pk_comment_votes")
        ),
    )
    op.create_index("ix_comment_votes_comment_id", "comment_votes", ["comment_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_comment_votes_comment_id", table_name="comment_votes")
    op.drop_table("comment_votes")
    op.drop_index("ix_score_changes_article_id", table_name="score_changes")
    op.drop_table("score_changes")
    op.drop_index("ix_article_votes_article_id", table_name="article_votes")
    op.drop_table("article_votes")
