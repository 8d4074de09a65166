"""Reports, the review queue, and the log of what staff did.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# `TRUNCATE`, which the service never runs, is left to whoever owns the table.
KEEP_LOG = """
CREATE FUNCTION keep_moderation_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the moderation log is only added to' USING ERRCODE = 'check_violation';
END
$$
"""
KEEP_LOG_TRIGGER = """
CREATE TRIGGER keep_moderation_log BEFORE UPDATE OR DELETE ON moderation_log
FOR EACH ROW EXECUTE FUNCTION keep_moderation_log()
"""


def upgrade() -> None:
    op.create_table(
        "moderation_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "approve",
                "hide",
                "remove",
                "restore",
                "escalate",
                "undo",
                "sanction",
                "lift_sanction",
                "decide_appeal",
                "assign",
                "unassign",
                "change_rules",
                "change_settings",
                "change_article",
                "change_tag",
                name="logaction",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("comment_id", sa.Uuid(), nullable=True),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "spam",
                "abuse",
                "off_topic",
                "illegal",
                "other",
                name="moderationreason",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(note) <= 1000", name=op.f("ck_moderation_log_note_length")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_moderation_log_actor_id")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_moderation_log_article_id")
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_moderation_log_comment_id")
        ),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["moderation_log.id"], name=op.f("fk_moderation_log_undoes_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_moderation_log_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_log")),
    )
    op.create_index(
        "ix_moderation_log_action", "moderation_log", ["action", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_moderation_log_actor_id",
        "moderation_log",
        ["actor_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_moderation_log_article_id",
        "moderation_log",
        ["article_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_moderation_log_comment_id",
        "moderation_log",
        ["comment_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_moderation_log_created_at", "moderation_log", ["created_at", "id"], unique=False
    )
    op.create_index(
        "ix_moderation_log_user_id", "moderation_log", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_moderation_log_undoes_id",
        "moderation_log",
        ["undoes_id"],
        unique=True,
        postgresql_where=sa.text("undoes_id IS NOT NULL"),
    )
    op.create_table(
        "review_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "held",
                "reported",
                "flagged",
                name="reviewsource",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("severity", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("report_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_escalated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "resolution",
            sa.Enum(
                "approved",
                "hidden",
                "removed",
                "deleted",
                name="reviewresolution",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(claimed_by IS NULL) = (claimed_until IS NULL)",
            name=op.f("ck_review_items_claim_has_an_end"),
        ),
        sa.CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL)",
            name=op.f("ck_review_items_resolution_has_a_time"),
        ),
        sa.CheckConstraint(
            "report_count >= 0", name=op.f("ck_review_items_report_count_not_negative")
        ),
        sa.CheckConstraint(
            "severity BETWEEN 0 AND 1000000", name=op.f("ck_review_items_severity_bounded")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_review_items_article_id")
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by"], ["users.id"], name=op.f("fk_review_items_claimed_by")
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_review_items_comment_id")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_review_items_resolved_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_items")),
    )
    op.create_index(
        "ix_review_items_article_oldest",
        "review_items",
        ["article_id", "opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_review_items_article_worst",
        "review_items",
        ["article_id", sa.literal_column("severity DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_review_items_comment_id", "review_items", ["comment_id", "opened_at"], unique=False
    )
    op.create_index(
        "ix_review_items_oldest",
        "review_items",
        ["opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("ix_review_items_opened_at", "review_items", ["opened_at"], unique=False)
    op.create_index(
        "ix_review_items_resolved_at",
        "review_items",
        ["resolved_at"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NOT NULL"),
    )
    op.create_index(
        "ix_review_items_source_oldest",
        "review_items",
        ["source", "opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_review_items_source_worst",
        "review_items",
        ["source", sa.literal_column("severity DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_review_items_worst",
        "review_items",
        [sa.literal_column("severity DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "uq_review_items_open",
        "review_items",
        ["comment_id"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "spam",
                "abuse",
                "off_topic",
                "illegal",
                "other",
                name="moderationreason",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column(
            "resolution",
            sa.Enum(
                "upheld",
                "dismissed",
                name="reportresolution",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("log_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL)",
            name=op.f("ck_reports_resolution_has_a_time"),
        ),
        sa.CheckConstraint("char_length(note) <= 1000", name=op.f("ck_reports_note_length")),
        sa.CheckConstraint("weight BETWEEN 0 AND 10", name=op.f("ck_reports_weight_bounded")),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_reports_comment_id")
        ),
        sa.ForeignKeyConstraint(["log_id"], ["moderation_log.id"], name=op.f("fk_reports_log_id")),
        sa.ForeignKeyConstraint(["reporter_id"], ["users.id"], name=op.f("fk_reports_reporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(
        "ix_reports_reporter_id", "reports", ["reporter_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_reports_comment_id_revision_reporter_id",
        "reports",
        ["comment_id", "revision", "reporter_id"],
        unique=True,
    )
    op.create_index(
        "ix_comments_withheld",
        "comments",
        ["author_id", "state"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'hidden', 'removed')"),
    )
    op.execute(KEEP_LOG)
    op.execute(KEEP_LOG_TRIGGER)


def downgrade() -> None:
    op.drop_index(
        "ix_comments_withheld",
        table_name="comments",
        postgresql_where=sa.text("state IN ('pending', 'hidden', 'removed')"),
    )
    op.drop_table("reports")
    op.drop_table("review_items")
    op.drop_table("moderation_log")
    op.execute("DROP FUNCTION keep_moderation_log()")
