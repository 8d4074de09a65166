"""Webhooks and their attempts.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("event_types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_secret_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "char_length(url) BETWEEN 1 AND 2048", name=op.f("ck_webhooks_url_length")
        ),
        sa.CheckConstraint(
            "char_length(description) <= 200", name=op.f("ck_webhooks_description_length")
        ),
        sa.CheckConstraint(
            "cardinality(event_types) BETWEEN 1 AND 100",
            name=op.f("ck_webhooks_event_types_size"),
        ),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 32", name=op.f("ck_webhooks_tag_length")
        ),
        sa.CheckConstraint(
            "num_nonnulls(article_id, tag) <= 1", name=op.f("ck_webhooks_one_filter")
        ),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_secret_ends_at IS NULL)",
            name=op.f("ck_webhooks_previous_secret_ends"),
        ),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)",
            name=op.f("ck_webhooks_disabled_has_reason"),
        ),
        sa.CheckConstraint(
            "disabled_reason IN ('gone', 'failing', 'requested')",
            name=op.f("ck_webhooks_webhookdisabledreason"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_webhooks_owner_id")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_webhooks_article_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_article_id", "webhooks", ["article_id"])
    op.create_index("ix_webhooks_owner_id", "webhooks", ["owner_id"])
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("comment_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("response_excerpt", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(message_id) BETWEEN 1 AND 100",
            name=op.f("ck_webhook_attempts_message_id_length"),
        ),
        sa.CheckConstraint(
            "char_length(type) BETWEEN 1 AND 32", name=op.f("ck_webhook_attempts_type_length")
        ),
        sa.CheckConstraint(
            "char_length(error) <= 200", name=op.f("ck_webhook_attempts_error_length")
        ),
        sa.CheckConstraint(
            "char_length(response_excerpt) <= 500",
            name=op.f("ck_webhook_attempts_response_excerpt_length"),
        ),
        sa.CheckConstraint(
            "duration_ms >= 0", name=op.f("ck_webhook_attempts_duration_not_negative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index(
        "ix_webhook_attempts_webhook_id_created_at_id",
        "webhook_attempts",
        ["webhook_id", "created_at", "id"],
    )
    op.create_index(
        "ix_webhook_attempts_webhook_id_message_id",
        "webhook_attempts",
        ["webhook_id", "message_id"],
    )
    op.create_index("ix_webhook_attempts_created_at", "webhook_attempts", ["created_at"])


def downgrade() -> None:
    op.drop_table("webhook_attempts")
    op.drop_table("webhooks")
