"""Tell what a shadow ban withholds from what moderators hid.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Of what was withheld before, the latest decision of screening says why. Few people have such a ban.
MARK = """
UPDATE comments c SET is_shadowed = true
FROM (
  SELECT DISTINCT ON (comment_id) comment_id, phase, revision
  FROM screening_decisions WHERE is_decisive AND outcome = 'hold'
  ORDER BY comment_id, created_at DESC
) d
WHERE c.id = d.comment_id AND d.phase = 'shadow_ban'
  AND (c.state = 'pending' OR c.state = 'hidden' AND c.revision <= d.revision + 1)
"""


def upgrade() -> None:
    op.add_column(
        "comments",
        sa.Column("is_shadowed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.execute(MARK)


def downgrade() -> None:
    op.drop_column("comments", "is_shadowed")
