"""Index what is new in a thread.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for open transactions, which may take longer than a lock may.
        op.execute("SET lock_timeout = 0")
        op.create_index(
            "ix_comments_published",
            "comments",
            ["article_id", "published_version"],
            postgresql_where=sa.text("state = 'visible' AND published_version IS NOT NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    op.drop_index("ix_comments_published", "comments")
