"""Statements of reports."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Report, ReportResolution, ScreeningSettings

# Of a person's decided reports, how many of the latest make their record.
_RECORD = 100


async def find_latest_report(
    session: AsyncSession, comment_id: UUID, reporter_id: UUID
) -> Report | None:
    """Return a person's latest report on a comment."""
    statement = (
        select(Report)
        .where(col(Report.comment_id) == comment_id, col(Report.reporter_id) == reporter_id)
        .order_by(col(Report.created_at).desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def find_record(session: AsyncSession, reporter_id: UUID) -> tuple[int, int]:
    """Return how many of a person's latest decided reports were upheld, and how many there are."""
    latest = (
        select(col(Report.resolution))
        .where(col(Report.reporter_id) == reporter_id, col(Report.resolution).is_not(None))
        .order_by(col(Report.created_at).desc())
        .limit(_RECORD)
        .subquery()
    )
    upheld = func.count().filter(latest.c.resolution == ReportResolution.UPHELD)
    row = (await session.execute(select(upheld, func.count()).select_from(latest))).one()
    return row[0], row[1]


async def sum_open_weights(session: AsyncSession, comment_id: UUID) -> float:
    """Return the sum of the weights of a comment's open reports."""
    statement = select(func.coalesce(func.sum(col(Report.weight)), 0.0)).where(
        col(Report.comment_id) == comment_id, col(Report.resolution).is_(None)
    )
    return float(await session.scalar(statement) or 0)


async def find_threshold(session: AsyncSession) -> float | None:
    """Return the weight of open reports at which a comment is hidden; None: never."""
    return await session.scalar(select(col(ScreeningSettings.report_threshold)))


async def resolve_reports(
    session: AsyncSession,
    log_ids: Mapping[UUID, UUID],
    resolution: ReportResolution,
    *,
    now: datetime,
) -> None:
    """Say what became of the reports on comments, each by the log entry that decided it.

    Open reports are resolved. Where they turn out to be wrong, so are those that were upheld.
    """
    rows = (
        func.unnest(
            literal(list(log_ids), ARRAY(Uuid)), literal(list(log_ids.values()), ARRAY(Uuid))
        )
        .table_valued("comment_id", "log_id")
        .render_derived(name="decided")
    )
    dismisses = resolution is ReportResolution.DISMISSED
    resolved = col(Report.resolution)
    is_due = resolved.is_distinct_from(resolution) if dismisses else resolved.is_(None)
    statement = (
        update(Report)
        .where(col(Report.comment_id) == rows.c.comment_id, is_due)
        .values(resolution=resolution, resolved_at=now, log_id=rows.c.log_id)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def reopen_reports(session: AsyncSession, log_id: UUID) -> None:
    """Open the reports again that a log entry decided."""
    statement = (
        update(Report)
        .where(col(Report.log_id) == log_id)
        .values(resolution=None, resolved_at=None, log_id=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def uphold_reports(session: AsyncSession, log_id: UUID) -> None:
    """Uphold the reports again that a log entry dismissed."""
    statement = (
        update(Report)
        .where(col(Report.log_id) == log_id)
        .values(resolution=ReportResolution.UPHELD, log_id=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)
