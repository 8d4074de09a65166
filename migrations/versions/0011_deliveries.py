"""Deliveries: what each consumer still has to do for an event.

Events that wait for an older worker are turned into deliveries by the newer one. An older worker
claims nothing any more, and stops being needed when the first of the newer ones has started.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "char_length(target) <= 300", name=op.f("ck_deliveries_target_length")
        ),
        sa.CheckConstraint(
            "char_length(last_error) <= 500", name=op.f("ck_deliveries_last_error_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "uq_deliveries_event_id_consumer_target",
        "deliveries",
        ["event_id", "consumer", "target"],
        unique=True,
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["consumer", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("dead_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_dead_at",
        "deliveries",
        ["dead_at"],
        unique=False,
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )
    op.drop_column("events", "attempts")
    op.drop_column("events", "retry_at")
    # Each version has its event now, the first one too.
    op.execute(
        "UPDATE events SET version = 0, payload = jsonb_set(payload, '{version}', '0')"
        " WHERE type = 'article_created' AND version IS NULL"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE events SET version = NULL, payload = jsonb_set(payload, '{version}', 'null')"
        " WHERE type = 'article_created'"
    )
    # What was not delivered yet is carried out again, by an older worker.
    op.execute(
        "UPDATE events SET relayed_at = NULL WHERE id IN"
        " (SELECT event_id FROM deliveries WHERE dead_at IS NULL)"
    )
    op.add_column("events", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "events",
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.drop_index("ix_deliveries_dead_at", table_name="deliveries")
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.drop_index("uq_deliveries_event_id_consumer_target", table_name="deliveries")
    op.drop_table("deliveries")
