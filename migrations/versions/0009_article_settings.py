"""Settings of articles and of tags, by which moderators guide a discussion.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

def upgrade() -> None:
    # All are nullable or have a constant default: no row is rewritten.
    for column in (
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slow_mode_seconds", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _flag("is_pre_moderated"),
        _flag("is_members_only"),
        sa.Column("pinned_comment_id", sa.Uuid(), nullable=True),
        sa.Column("notice", sa.Text(), nullable=True),
    ):
        op.add_column("articles", column)
    op.create_foreign_key(
        op.f("fk_articles_pinned_comment_id"),
        "articles",
        "comments",
        ["pinned_comment_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_articles_slow_mode_bounded"), "articles", "slow_mode_seconds BETWEEN 0 AND 86400"
    )
    op.create_check_constraint(
        op.f("ck_articles_notice_length"), "articles", "char_length(notice) BETWEEN 1 AND 1000"
    )
    op.create_table(
        "tag_settings",
        sa.Column("tag", sa.Text(), nullable=False),
        _flag("is_pre_moderated"),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 32", name=op.f("ck_tag_settings_tag_length")
        ),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_tag_settings")),
    )


def downgrade() -> None:
    op.drop_table("tag_settings")
    op.drop_constraint(op.f("fk_articles_pinned_comment_id"), "articles")
    for name in (
        *("notice", "pinned_comment_id", "is_members_only", "is_pre_moderated"),
        *("slow_mode_seconds", "closes_at"),
    ):
        op.drop_column("articles", name)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
