"""Screening: rules, settings and decisions.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "screening_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        _enum("kind", "rulekind", "word", "pattern", "domain"),
        sa.Column("value", sa.Text(), nullable=False),
        _enum("action", "ruleaction", "reject", "hold", "flag", "allow"),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(value) BETWEEN 1 AND 200", name=op.f("ck_screening_rules_value_length")
        ),
        sa.CheckConstraint(
            "char_length(note) <= 1000", name=op.f("ck_screening_rules_note_length")
        ),
        sa.CheckConstraint(
            "action <> 'allow' OR kind = 'domain'",
            name=op.f("ck_screening_rules_only_domains_are_allowed"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_screening_rules_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening_rules")),
    )
    op.create_index("uq_screening_rules_value", "screening_rules", ["kind", "value"], unique=True)
    op.create_table(
        "screening_settings",
        sa.Column("is_only_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("rules_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("held_first_comments", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_links", sa.Integer(), nullable=True),
        sa.Column("newcomer_max_links", sa.Integer(), nullable=True),
        sa.Column("max_repeats", sa.Integer(), nullable=True),
        sa.Column(
            "repeat_window_seconds", sa.Integer(), server_default=sa.text("3600"), nullable=False
        ),
        sa.Column(
            "revisions_visible_to",
            _values("audience", "everybody", "staff", "nobody"),
            server_default=sa.text("'everybody'"),
            nullable=False,
        ),
        sa.Column("public_log", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("report_threshold", sa.Float(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_screening_settings_{name}"))
            for name, condition in (
                ("is_only_row", "is_only_row"),
                ("held_bounded", "held_first_comments BETWEEN 0 AND 100"),
                (
                    "links_bounded",
                    "max_links BETWEEN 0 AND 1000 AND newcomer_max_links BETWEEN 0 AND 1000",
                ),
                ("window_bounded", "repeat_window_seconds BETWEEN 1 AND 604800"),
                ("repeats_bounded", "max_repeats BETWEEN 1 AND 100"),
                ("threshold_bounded", "report_threshold BETWEEN 1 AND 1000"),
            )
        ),
        sa.PrimaryKeyConstraint("is_only_row", name=op.f("pk_screening_settings")),
    )
    op.execute("INSERT INTO screening_settings DEFAULT VALUES")
    op.create_table(
        "screening_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=True),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        _enum("outcome", "outcome", "publish", "flag", "hold", "reject"),
        sa.Column("is_decisive", sa.Boolean(), nullable=False),
        _enum(
            "phase",
            "phase",
            *("shadow_ban", "pre_moderation", "article", "newcomer", "links", "words"),
            *("repetition", "external_check", "spam_score"),
        ),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "span_start >= 0 AND span_end > span_start",
            name=op.f("ck_screening_decisions_span_in_order"),
        ),
        sa.CheckConstraint(
            "char_length(rule) BETWEEN 1 AND 300", name=op.f("ck_screening_decisions_rule_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening_decisions")),
    )
    for name, columns in (
        ("comment_id", ["comment_id", "created_at"]),
        ("rule_id", ["rule_id", "created_at"]),
        ("created_at", ["created_at"]),
    ):
        op.create_index(f"ix_screening_decisions_{name}", "screening_decisions", columns)


def downgrade() -> None:
    for table in ("screening_decisions", "screening_settings", "screening_rules"):
        op.drop_table(table)


def _enum(column: str, name: str, *values: str) -> sa.Column[str]:
    return sa.Column(column, _values(name, *values), nullable=False)


def _values(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
