"""Sanctions, appeals against decisions, and moderators of single articles and tags.

`user_restrictions` becomes a view of `sanctions`: servers of the release before this one read it
while they are upgraded one after another.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEEP_RESTRICTIONS = """
INSERT INTO sanctions (id, user_id, kind, reason, starts_at, ends_at)
SELECT gen_random_uuid(), user_id, CASE kind WHEN 'banned' THEN 'ban' ELSE 'silence' END, 'other',
       created_at, ends_at
FROM user_restrictions WHERE ends_at IS NULL OR ends_at > created_at
"""
VIEW = """
CREATE VIEW user_restrictions AS
SELECT user_id, CASE kind WHEN 'ban' THEN 'banned' ELSE 'silenced' END AS kind,
       starts_at AS created_at, ends_at
FROM sanctions WHERE lifted_at IS NULL AND kind IN ('ban', 'silence')
"""
# The one of each kind that ends last.
KEEP_SANCTIONS = """
INSERT INTO user_restrictions (user_id, kind, created_at, ends_at)
SELECT DISTINCT ON (user_id, kind) user_id,
       CASE kind WHEN 'ban' THEN 'banned' ELSE 'silenced' END, starts_at, ends_at
FROM sanctions WHERE lifted_at IS NULL AND kind IN ('ban', 'silence')
ORDER BY user_id, kind, ends_at DESC NULLS FIRST
"""


def upgrade() -> None:
    op.create_table(
        "sanctions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _enum(
            "kind",
            "sanctionkind",
            *("note", "warning", "silence", "ban", "shadow_ban", "pre_moderation"),
        ),
        _enum(
            "reason", "moderationreason", *("spam", "abuse", "off_topic", "illegal", "other")
        ),
        _text("message"),
        _text("note"),
        _time("starts_at"),
        _time("ends_at", nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("log_id", sa.Uuid(), nullable=True),
        _time("lifted_at", nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "char_length(message) <= 1000", name=op.f("ck_sanctions_message_length")
        ),
        sa.CheckConstraint("char_length(note) <= 1000", name=op.f("ck_sanctions_note_length")),
        sa.CheckConstraint(
            "ends_at > starts_at", name=op.f("ck_sanctions_ends_after_its_start")
        ),
        sa.CheckConstraint(
            "lifted_at IS NOT NULL OR lifted_by IS NULL",
            name=op.f("ck_sanctions_lifted_at_a_time"),
        ),
        _reference("sanctions", "user_id", "users"),
        _reference("sanctions", "created_by", "users"),
        _reference("sanctions", "log_id", "moderation_log"),
        _reference("sanctions", "lifted_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sanctions")),
    )
    op.create_index(
        "ix_sanctions_restricting",
        "sanctions",
        ["user_id"],
        postgresql_where=sa.text("lifted_at IS NULL AND kind NOT IN ('note', 'warning')"),
    )
    op.create_index("ix_sanctions_user_id", "sanctions", ["user_id", "starts_at", "id"])
    op.create_index("ix_sanctions_log_id", "sanctions", ["log_id"])
    op.create_table(
        "appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("log_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _enum("state", "appealstate", *("open", "granted", "refused"), default="open"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _text("decision_reason"),
        _time("created_at"),
        _time("decided_at", nullable=True),
        sa.CheckConstraint(
            "char_length(text) BETWEEN 1 AND 2000", name=op.f("ck_appeals_text_length")
        ),
        sa.CheckConstraint(
            "char_length(decision_reason) <= 1000", name=op.f("ck_appeals_decision_reason_length")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_appeals_decided_at_a_time")
        ),
        _reference("appeals", "log_id", "moderation_log"),
        _reference("appeals", "user_id", "users"),
        _reference("appeals", "decided_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
    )
    op.create_index("uq_appeals_log_id", "appeals", ["log_id"], unique=True)
    op.create_index("ix_appeals_user_id", "appeals", ["user_id", "created_at", "id"])
    op.create_index("ix_appeals_state", "appeals", ["state", "created_at", "id"])
    op.create_table(
        "moderator_assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _time("created_at"),
        sa.CheckConstraint(
            "num_nonnulls(article_id, tag) = 1", name=op.f("ck_moderator_assignments_one_subject")
        ),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 32", name=op.f("ck_moderator_assignments_tag_length")
        ),
        _reference("moderator_assignments", "user_id", "users"),
        _reference("moderator_assignments", "article_id", "articles"),
        _reference("moderator_assignments", "created_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderator_assignments")),
    )
    for subject, column in (("article", "article_id"), ("tag", "tag")):
        op.create_index(
            f"uq_moderator_assignments_{subject}",
            "moderator_assignments",
            ["user_id", column],
            unique=True,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_index("ix_moderator_assignments_user_id", "moderator_assignments", ["user_id"])
    op.execute(KEEP_RESTRICTIONS)
    op.drop_table("user_restrictions")
    op.execute(VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW user_restrictions")
    op.create_table(
        "user_restrictions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _enum("kind", "restrictionkind", "silenced", "banned"),
        _time("created_at"),
        _time("ends_at", nullable=True),
        _reference("user_restrictions", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_user_restrictions")),
    )
    op.execute(KEEP_SANCTIONS)
    op.drop_table("moderator_assignments")
    op.drop_table("appeals")
    op.drop_table("sanctions")


def _enum(name: str, kind: str, *values: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.Enum(*values, name=kind, native_enum=False, create_constraint=True, length=16),
        server_default=sa.text(f"'{default}'") if default else None,
        nullable=False,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")
    )
