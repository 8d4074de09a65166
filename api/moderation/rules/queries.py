"""Statements of dry runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.comments.visibility import shows_text_to_staff
from models import Comment, DryRun


async def find_dry_run(session: AsyncSession, dry_run_id: UUID) -> DryRun | None:
    """Return a dry run."""
    return await session.get(DryRun, dry_run_id)


async def list_comments(
    session: AsyncSession, *, before: UUID | None, limit: int
) -> Sequence[tuple[UUID, str]]:
    """Return ids and texts of comments that staff can read, the latest stored first."""
    statement = (
        select(col(Comment.id), col(Comment.body))
        .where(shows_text_to_staff())
        .order_by(col(Comment.id).desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(col(Comment.id) < before)
    return [(row.id, row.body) for row in (await session.execute(statement)).all()]


async def save_progress(
    session: AsyncSession,
    dry_run: DryRun,
    *,
    last_id: UUID | None,
    scanned: int,
    matched: int,
    matches: list[dict[str, Any]],
    finished_at: datetime | None,
) -> None:
    """Add a batch to a dry run, unless another worker has added it."""
    statement = (
        update(DryRun)
        .where(col(DryRun.id) == dry_run.id, col(DryRun.scanned) == dry_run.scanned)
        .where(col(DryRun.finished_at).is_(None))
        .values(
            last_id=func.coalesce(literal(last_id), col(DryRun.last_id)),
            scanned=col(DryRun.scanned) + scanned,
            matched=col(DryRun.matched) + matched,
            matches=col(DryRun.matches).op("||")(cast(matches, JSONB)),
            finished_at=finished_at,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def purge_dry_runs(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` dry runs from before a moment; return how many."""
    old = select(col(DryRun.id)).where(col(DryRun.created_at) < before).limit(limit)
    statement = (
        delete(DryRun)
        .where(col(DryRun.id).in_(old))
        .returning(col(DryRun.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.scalars(statement)).all())
