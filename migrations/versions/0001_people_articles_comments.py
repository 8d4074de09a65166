"""People, articles, comments, and what carries their events.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(key) BETWEEN 1 AND 255", name=op.f("ck_idempotency_keys_key_length")
        ),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "member",
                "moderator",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default=sa.text("'member'"),
            nullable=False,
        ),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(avatar_url) <= 2048", name=op.f("ck_users_avatar_url_length")
        ),
        sa.CheckConstraint(
            "char_length(display_name) BETWEEN 1 AND 64", name=op.f("ck_users_display_name_length")
        ),
        sa.CheckConstraint("char_length(email) <= 254", name=op.f("ck_users_email_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index(
        "ix_users_name_key",
        "users",
        ["name_key"],
        unique=False,
        postgresql_ops={"name_key": "text_pattern_ops"},
    )
    op.create_index("uq_users_email_key", "users", ["email_key"], unique=True)
    op.create_index("uq_users_handle", "users", ["handle"], unique=True)
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("is_locked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reply_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("up", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("down", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("score", sa.Integer(), sa.Computed("up - down", persisted=True), nullable=False),
        sa.Column(
            "hot",
            sa.Double(),
            sa.Computed(
                "\nsign(up - down) * log(greatest(abs(up - down), 1)::float8)\n+ extract(epoch FROM created_at AT TIME ZONE 'UTC')::float8 / 45000\n",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(body) <= 20000", name=op.f("ck_articles_body_length")),
        sa.CheckConstraint(
            "char_length(external_id) BETWEEN 1 AND 255",
            name=op.f("ck_articles_external_id_length"),
        ),
        sa.CheckConstraint(
            "char_length(slug) BETWEEN 1 AND 120", name=op.f("ck_articles_slug_length")
        ),
        sa.CheckConstraint(
            "char_length(title) BETWEEN 1 AND 300", name=op.f("ck_articles_title_length")
        ),
        sa.CheckConstraint("char_length(url) <= 2048", name=op.f("ck_articles_url_length")),
        sa.CheckConstraint(
            "comment_count >= 0 AND reply_count >= 0 AND up >= 0 AND down >= 0",
            name=op.f("ck_articles_counters_not_negative"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_articles_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
    )
    op.create_index(
        "ix_articles_active",
        "articles",
        ["last_activity_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_articles_author",
        "articles",
        ["author_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_articles_hot",
        "articles",
        ["hot", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_articles_new",
        "articles",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_articles_top",
        "articles",
        ["score", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("uq_articles_external_id", "articles", ["external_id"], unique=True)
    op.create_index("uq_articles_slug", "articles", ["slug"], unique=True)
    op.create_table(
        "handles",
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("skeleton", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(handle) BETWEEN 2 AND 32", name=op.f("ck_handles_handle_length")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_handles_user_id")),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_handles")),
    )
    op.create_index(
        "ix_handles_prefix",
        "handles",
        ["handle"],
        unique=False,
        postgresql_ops={"handle": "text_pattern_ops"},
    )
    op.create_index("ix_handles_user_id", "handles", ["user_id"], unique=False)
    op.create_index("uq_handles_handle_user_id", "handles", ["handle", "user_id"], unique=True)
    op.create_index("uq_handles_skeleton", "handles", ["skeleton"], unique=True)
    # After both tables: each row of one names a row of the other.
    op.create_foreign_key(
        "fk_users_current_handle",
        "users",
        "handles",
        ["handle", "id"],
        ["handle", "user_id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "char_length(user_agent) <= 256", name=op.f("ck_sessions_user_agent_length")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_table(
        "article_tags",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "char_length(tag) BETWEEN 1 AND 32", name=op.f("ck_article_tags_tag_length")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_article_tags_article_id")
        ),
        sa.PrimaryKeyConstraint("article_id", "tag", name=op.f("pk_article_tags")),
    )
    op.create_index("ix_article_tags_tag", "article_tags", ["tag", "article_id"], unique=False)
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column(
            "under_id",
            sa.Uuid(),
            sa.Computed("coalesce(parent_id, article_id)", persisted=True),
            nullable=False,
        ),
        sa.Column("ancestor_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("mention_count", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "visible",
                "deleted",
                "removed",
                "pending",
                name="commentstate",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default=sa.text("'visible'"),
            nullable=False,
        ),
        sa.Column("listed", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("up", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("down", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("score", sa.Integer(), sa.Computed("up - down", persisted=True), nullable=False),
        sa.Column(
            "best",
            sa.Double(),
            sa.Computed(
                "\nCASE WHEN up + down = 0 THEN 0::float8 ELSE\n  (up::float8 / (up + down) + 1.642374415 / (2 * (up + down))\n   - 1.281551565545 * sqrt(\n       (up::float8 / (up + down) * (down::float8 / (up + down)) + 1.642374415 / (4 * (up + down)))\n       / (up + down)))\n  / (1 + 1.642374415 / (up + down))\nEND\n",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "hot",
            sa.Double(),
            sa.Computed(
                "\nsign(up - down) * log(greatest(abs(up - down), 1)::float8)\n+ extract(epoch FROM created_at AT TIME ZONE 'UTC')::float8 / 45000\n",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "controversy",
            sa.Double(),
            sa.Computed(
                "\nCASE WHEN up = 0 OR down = 0 THEN 0::float8\nELSE power((up + down)::float8, least(up, down)::float8 / greatest(up, down)) END\n",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("reply_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("descendant_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'pending' OR NOT listed", name=op.f("ck_comments_pending_is_not_listed")
        ),
        sa.CheckConstraint(
            "state <> 'visible' OR listed", name=op.f("ck_comments_visible_is_listed")
        ),
        sa.CheckConstraint(
            "(parent_id IS NULL) = (depth = 0)", name=op.f("ck_comments_roots_have_no_parent")
        ),
        sa.CheckConstraint(
            "cardinality(ancestor_ids) = depth", name=op.f("ck_comments_ancestors_match_depth")
        ),
        sa.CheckConstraint(
            "char_length(body) BETWEEN 1 AND 10000", name=op.f("ck_comments_body_length")
        ),
        sa.CheckConstraint("depth BETWEEN 0 AND 200", name=op.f("ck_comments_depth_bounded")),
        sa.CheckConstraint(
            "up >= 0 AND down >= 0 AND reply_count >= 0 AND descendant_count >= 0",
            name=op.f("ck_comments_counters_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_comments_article_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_comments_author_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["comments.id"], name=op.f("fk_comments_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(
        "ix_comments_author",
        "comments",
        ["author_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'visible'"),
    )
    op.create_index(
        "ix_comments_best",
        "comments",
        ["under_id", sa.literal_column("best DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "ix_comments_controversial",
        "comments",
        ["under_id", sa.literal_column("controversy DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "ix_comments_flat",
        "comments",
        ["article_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "ix_comments_hot",
        "comments",
        ["under_id", sa.literal_column("hot DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "ix_comments_people",
        "comments",
        ["article_id", "author_id"],
        unique=False,
        postgresql_where=sa.text("state = 'visible'"),
    )
    op.create_index(
        "ix_comments_time",
        "comments",
        ["under_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "ix_comments_top",
        "comments",
        ["under_id", sa.literal_column("score DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("listed"),
    )
    op.create_index(
        "uq_comments_external_id",
        "comments",
        ["article_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_events_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_relayed_at",
        "events",
        ["relayed_at"],
        unique=False,
        postgresql_where=sa.text("relayed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_events_waiting",
        "events",
        ["id"],
        unique=False,
        postgresql_where=sa.text("relayed_at IS NULL"),
    )
    op.create_index(
        "uq_events_article_id_version", "events", ["article_id", "version"], unique=True
    )
    op.create_table(
        "comment_mentions",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("start_offset", sa.Integer(), nullable=False),
        sa.Column("end_offset", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "start_offset >= 0 AND end_offset > start_offset",
            name=op.f("ck_comment_mentions_offsets_in_order"),
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_comment_mentions_comment_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_comment_mentions_user_id")
        ),
        sa.PrimaryKeyConstraint("comment_id", "start_offset", name=op.f("pk_comment_mentions")),
    )
    op.create_index("ix_comment_mentions_user_id", "comment_mentions", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_comment_mentions_user_id", table_name="comment_mentions")
    op.drop_table("comment_mentions")
    op.drop_index("uq_events_article_id_version", table_name="events")
    op.drop_index(
        "ix_events_waiting", table_name="events", postgresql_where=sa.text("relayed_at IS NULL")
    )
    op.drop_index(
        "ix_events_relayed_at",
        table_name="events",
        postgresql_where=sa.text("relayed_at IS NOT NULL"),
    )
    op.drop_table("events")
    op.drop_index(
        "uq_comments_external_id",
        table_name="comments",
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.drop_index("ix_comments_top", table_name="comments", postgresql_where=sa.text("listed"))
    op.drop_index("ix_comments_time", table_name="comments", postgresql_where=sa.text("listed"))
    op.drop_index(
        "ix_comments_people", table_name="comments", postgresql_where=sa.text("state = 'visible'")
    )
    op.drop_index("ix_comments_hot", table_name="comments", postgresql_where=sa.text("listed"))
    op.drop_index("ix_comments_flat", table_name="comments", postgresql_where=sa.text("listed"))
    op.drop_index(
        "ix_comments_controversial", table_name="comments", postgresql_where=sa.text("listed")
    )
    op.drop_index("ix_comments_best", table_name="comments", postgresql_where=sa.text("listed"))
    op.drop_index(
        "ix_comments_author", table_name="comments", postgresql_where=sa.text("state = 'visible'")
    )
    op.drop_table("comments")
    op.drop_index("ix_article_tags_tag", table_name="article_tags")
    op.drop_table("article_tags")
    op.drop_index("ix_sessions_user_id", table_name="sessions")
    op.drop_index("ix_sessions_expires_at", table_name="sessions")
    op.drop_table("sessions")
    op.drop_constraint("fk_users_current_handle", "users", type_="foreignkey")
    op.drop_index("uq_handles_skeleton", table_name="handles")
    op.drop_index("uq_handles_handle_user_id", table_name="handles")
    op.drop_index("ix_handles_user_id", table_name="handles")
    op.drop_index(
        "ix_handles_prefix", table_name="handles", postgresql_ops={"handle": "text_pattern_ops"}
    )
    op.drop_table("handles")
    op.drop_index("uq_articles_slug", table_name="articles")
    op.drop_index("uq_articles_external_id", table_name="articles")
    op.drop_index(
        "ix_articles_top", table_name="articles", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index(
        "ix_articles_new", table_name="articles", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index(
        "ix_articles_hot", table_name="articles", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index(
        "ix_articles_author", table_name="articles", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index(
        "ix_articles_active", table_name="articles", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_table("articles")
    op.drop_index("uq_users_handle", table_name="users")
    op.drop_index("uq_users_email_key", table_name="users")
    op.drop_index(
        "ix_users_name_key", table_name="users", postgresql_ops={"name_key": "text_pattern_ops"}
    )
    op.drop_table("users")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
