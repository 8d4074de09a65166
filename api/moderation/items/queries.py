"""Statements of review items: opening, claiming and resolving them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, case, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.comments.visibility import shows_text_to_staff
from api.kit.db.ids import make_id
from models import Comment, Report, ReviewItem, ReviewResolution, ReviewSource
from models.moderation import OPEN

# What screening adds to the severity of what it held or flagged: as much as one report.
_SEVERITY_OF_SCREENING = 1.0
_MAX_SEVERITY = 1_000_000.0


async def open_items(
    session: AsyncSession,
    comment_ids: Collection[UUID],
    *,
    article_id: UUID,
    source: ReviewSource,
    now: datetime,
) -> None:
    """Let comments wait for a moderator; one that waits already is left as it is."""
    rows = [
        {
            "id": make_id(),
            "comment_id": comment_id,
            "article_id": article_id,
            "source": source,
            "severity": 0 if source is ReviewSource.REPORTED else _SEVERITY_OF_SCREENING,
            "opened_at": now,
        }
        for comment_id in comment_ids
    ]
    statement = insert(ReviewItem).values(rows)
    await session.execute(
        statement.on_conflict_do_nothing(index_elements=["comment_id"], index_where=OPEN)
    )


async def lock_open_items(
    session: AsyncSession, comment_ids: Collection[UUID]
) -> dict[UUID, ReviewItem]:
    """Return the open item of each comment that has one; nobody claims it meanwhile."""
    statement = (
        select(ReviewItem)
        .where(_is_of(comment_ids), _is_open())
        .order_by(col(ReviewItem.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {item.comment_id: item for item in await session.scalars(statement)}


async def lock_item(session: AsyncSession, item_id: UUID) -> ReviewItem | None:
    """Return an open item; nobody else claims or resolves it meanwhile."""
    statement = (
        select(ReviewItem)
        .where(col(ReviewItem.id) == item_id, _is_open())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def resolve_items(
    session: AsyncSession,
    comment_ids: Collection[UUID],
    resolution: ReviewResolution,
    *,
    by: UUID | None,
    now: datetime,
) -> None:
    """End the wait of comments, and the claims on them."""
    statement = (
        update(ReviewItem)
        .where(_is_of(comment_ids), _is_open())
        .values(
            resolution=resolution,
            resolved_at=now,
            resolved_by=by,
            claimed_by=None,
            claimed_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def resolve_items_of_article(
    session: AsyncSession, article_id: UUID, *, now: datetime
) -> None:
    """End the wait of all comments of an article that is gone."""
    statement = (
        update(ReviewItem)
        .where(col(ReviewItem.article_id) == article_id, _is_open())
        .values(
            resolution=ReviewResolution.DELETED,
            resolved_at=now,
            claimed_by=None,
            claimed_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def reopen_items_of_article(session: AsyncSession, article_id: UUID) -> None:
    """Let the comments of an article wait again whose wait ended when it was removed."""
    other = aliased(ReviewItem, name="other")
    has_newer = exists().where(
        col(other.comment_id) == col(ReviewItem.comment_id), col(other.id) > col(ReviewItem.id)
    )
    is_there = exists().where(col(Comment.id) == col(ReviewItem.comment_id), shows_text_to_staff())
    statement = (
        update(ReviewItem)
        .where(
            col(ReviewItem.article_id) == article_id,
            col(ReviewItem.resolution) == ReviewResolution.DELETED,
            ~has_newer,
            is_there,
        )
        .values(resolution=None, resolved_at=None, resolved_by=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def reopen_items(session: AsyncSession, item_ids: Collection[UUID]) -> None:
    """Let comments wait again, unless they do so for another reason already."""
    other = aliased(ReviewItem, name="other")
    waits = exists().where(
        col(other.comment_id) == col(ReviewItem.comment_id), col(other.resolved_at).is_(None)
    )
    statement = (
        update(ReviewItem)
        .where(col(ReviewItem.id) == any_(literal(list(item_ids), ARRAY(Uuid))), ~waits)
        .values(resolution=None, resolved_at=None, resolved_by=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def set_escalated(
    session: AsyncSession, comment_ids: Collection[UUID], *, is_escalated: bool
) -> None:
    """Say whether comments that wait are for moderators of the whole forum; claims end."""
    statement = (
        update(ReviewItem)
        .where(_is_of(comment_ids), _is_open())
        .values(is_escalated=is_escalated, claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def weigh_items(session: AsyncSession, comment_ids: Collection[UUID]) -> None:
    """Count the open reports of comments that wait, and add up their weights.

    Counted again each time, so that no sum can drift.
    """
    is_open_report = (
        col(Report.comment_id) == col(ReviewItem.comment_id),
        col(Report.resolution).is_(None),
    )
    count = select(func.count()).select_from(Report).where(*is_open_report).scalar_subquery()
    weight = select(func.coalesce(func.sum(col(Report.weight)), 0)).where(*is_open_report)
    of_screening = case(
        (col(ReviewItem.source) == ReviewSource.REPORTED, 0.0), else_=_SEVERITY_OF_SCREENING
    )
    statement = (
        update(ReviewItem)
        .where(_is_of(comment_ids), _is_open())
        .values(
            report_count=count,
            severity=func.least(weight.scalar_subquery() + of_screening, _MAX_SEVERITY),
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


def _is_of(comment_ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(ReviewItem.comment_id) == any_(literal(list(comment_ids), ARRAY(Uuid)))


def _is_open() -> ColumnElement[bool]:
    return col(ReviewItem.resolved_at).is_(None)
