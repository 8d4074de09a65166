"""States of articles and comments: hidden comments, removed articles.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# It fires only for statements that name the column: those of the service never do.
KEEP_ARTICLE = """
CREATE FUNCTION keep_article_of_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a comment stays under its article' USING ERRCODE = 'check_violation';
END
$$
"""
KEEP_ARTICLE_TRIGGER = """
CREATE TRIGGER keep_article_of_comment BEFORE UPDATE OF article_id ON comments
FOR EACH ROW WHEN (OLD.article_id <> NEW.article_id) EXECUTE FUNCTION keep_article_of_comment()
"""

BEFORE = ("visible", "deleted", "removed", "pending")
AFTER = ("pending", "visible", "hidden", "removed", "deleted")


def upgrade() -> None:
    _replace_comment_states(AFTER)
    # A constant default: no row is rewritten. Whatever was stored before has been shown.
    op.add_column(
        "comments",
        sa.Column("is_announced", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.drop_constraint(op.f("ck_comments_visible_is_listed"), "comments")
    op.create_check_constraint(
        op.f("ck_comments_listed_follows_from_state"),
        "comments",
        "listed = (state = 'visible' OR reply_count > 0)",
    )
    op.create_check_constraint(
        op.f("ck_comments_visible_is_announced"), "comments", "state <> 'visible' OR is_announced"
    )
    op.execute(KEEP_ARTICLE)
    op.execute(KEEP_ARTICLE_TRIGGER)
    op.add_column(
        "articles",
        sa.Column(
            "state",
            sa.Enum(
                "visible",
                "removed",
                "deleted",
                name="articlestate",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            server_default=sa.text("'visible'"),
            nullable=False,
        ),
    )
    op.execute("UPDATE articles SET state = 'deleted' WHERE deleted_at IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_articles_deleted_at_follows_from_state"),
        "articles",
        "(state = 'visible') = (deleted_at IS NULL)",
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_article_of_comment ON comments")
    op.execute("DROP FUNCTION keep_article_of_comment()")
    op.drop_constraint(op.f("ck_articles_deleted_at_follows_from_state"), "articles")
    op.drop_column("articles", "state")
    op.drop_constraint(op.f("ck_comments_visible_is_announced"), "comments")
    op.drop_constraint(op.f("ck_comments_listed_follows_from_state"), "comments")
    op.create_check_constraint(
        op.f("ck_comments_visible_is_listed"), "comments", "state <> 'visible' OR listed"
    )
    op.drop_column("comments", "is_announced")
    # Nobody sees either; there was no other word for it.
    op.execute("UPDATE comments SET state = 'removed' WHERE state = 'hidden'")
    _replace_comment_states(BEFORE)


def _replace_comment_states(states: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_comments_commentstate"), "comments")
    listed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(
        op.f("ck_comments_commentstate"), "comments", f"state IN ({listed})"
    )
