"""Handles in which i, l and 1 are swapped look alike.

Handles that look alike since then stay valid. The one that was there first keeps the skeleton, so
nobody can take another look-alike; the others get one of their own, with their handle behind it.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# As `handle_skeleton` makes it, from now on and before.
NEW = (
    "replace(replace(translate(handle, '01i-_', 'oll'), 'rn', 'm'), 'vv', 'w')"
)
OLD = "replace(replace(translate(handle, '01-_', 'ol'), 'rn', 'm'), 'vv', 'w')"


def recompute(skeleton: str) -> None:
    # The index would be checked row by row, and two rows may swap.
    op.drop_index("uq_handles_skeleton", table_name="handles")
    op.execute(
        f"""
        WITH ranked AS (
            SELECT handle, {skeleton} AS skeleton,
                   row_number() OVER (PARTITION BY {skeleton} ORDER BY created_at, handle) AS place
            FROM handles
        )
        UPDATE handles SET skeleton =
            CASE ranked.place WHEN 1 THEN ranked.skeleton
                              ELSE ranked.skeleton || ' ' || handles.handle END
        FROM ranked WHERE ranked.handle = handles.handle
        """
    )
    op.create_index("uq_handles_skeleton", "handles", ["skeleton"], unique=True)


def upgrade() -> None:
    recompute(NEW)


def downgrade() -> None:
    recompute(OLD)
