"""Statements of the review queue, each read for a page at once: rows in proportion to the page."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    TableValuedAlias,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    lateral,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.visibility import (
    SHOWS_TEXT_C,
    WITHHELD_C,
    is_listed_for_staff,
    shows_text_to_staff,
)
from api.kit.http.pagination import Slice, slice_rows
from api.moderation.policy import ModeratorScope
from models import (
    Article,
    ArticleTag,
    Comment,
    Report,
    ReviewItem,
    ReviewSource,
    ScreeningDecision,
    User,
)

# Of one item: the nearest ancestors, the latest reports and decisions of screening.
MAX_ANCESTORS = 3
MAX_REPORTS = 20
MAX_FINDINGS = 50
# What a person's record counts up to.
MAX_COUNTED = 100

_PERSON = ("id", "handle", "display_name", "avatar_url")
_COMMENT = (
    *("id", "article_id", "parent_id", "ancestor_ids", "depth", "state", "revision"),
    *("author_id", "created_at", "edited_at"),
)
_ITEM = (
    *("id", "source", "severity", "report_count", "is_escalated", "claimed_by"),
    *("claimed_until", "opened_at"),
)


_RECORDS = (
    text(f"""
SELECT a.id AS author_id, w.state, w.n, (
  SELECT count(*) FROM (
    SELECT 1 FROM comments c WHERE c.author_id = a.id AND {SHOWS_TEXT_C} LIMIT :most
  ) s
) AS published, (
  SELECT count(*) FROM (
    SELECT 1 FROM sanctions x
    WHERE x.user_id = a.id AND x.kind <> 'note' AND x.lifted_at IS NULL LIMIT :most
  ) s
) AS sanctions
FROM unnest(:ids) AS a(id)
LEFT JOIN LATERAL (
  SELECT k.state, count(*) AS n FROM (
    SELECT c.state FROM comments c WHERE c.author_id = a.id AND {WITHHELD_C} LIMIT :most
  ) k GROUP BY k.state
) w ON true
""")
    .bindparams(bindparam("ids", type_=ARRAY(Uuid())), bindparam("most", type_=Integer()))
    .columns(
        column("author_id", Uuid()),
        column("state"),
        column("n"),
        column("published"),
        column("sanctions"),
    )
)


class QueueOrder(StrEnum):
    """Which items come first."""

    OLDEST = "oldest"
    WORST = "worst"


class ClaimFilter(StrEnum):
    """Whose items are listed."""

    # Nobody, or nobody else, looks at them now.
    FREE = "free"
    MINE = "mine"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which items are listed; None is any."""

    order: QueueOrder
    source: ReviewSource | None = None
    article_id: UUID | None = None
    tag: str | None = None
    claimed: ClaimFilter | None = None
    is_escalated: bool | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the comments of a page, by the id of the comment or person."""

    ancestors: dict[UUID, RowMapping]
    reports: dict[UUID, list[RowMapping]]
    findings: dict[UUID, list[RowMapping]]
    records: dict[UUID, dict[str, int]]


async def list_items(
    session: AsyncSession,
    scope: ModeratorScope,
    wanted: QueueFilter,
    *,
    moderator_id: UUID | None,
    now: datetime,
    after: tuple[Any, UUID] | None,
    limit: int,
) -> Slice[RowMapping]:
    """Return open items with their comments, authors and articles.

    A filter by tag, and the scope of a moderator of some tags or articles, walk over the open items
    of others; every other list is a range of an index.
    """
    where = [
        col(ReviewItem.resolved_at).is_(None),
        is_public(),
        *_match(wanted, moderator_id, now),
    ]
    if not scope.is_global:
        where.append(_is_in_scope(scope))
    if wanted.order is QueueOrder.OLDEST:
        order = (col(ReviewItem.opened_at), col(ReviewItem.id))
        if after is not None:
            where.append(tuple_(*order) > tuple_(*after))
        order_by: tuple[Any, ...] = order
    else:
        severity = col(ReviewItem.severity)
        order_by = (severity.desc(), col(ReviewItem.id))
        if after is not None:
            # The first comparison is the range of the index, the second leaves out what was shown.
            where.append(severity <= after[0])
            where.append(or_(severity < after[0], col(ReviewItem.id) > after[1]))
    statement = (
        _select_comments(now, only_waiting=True).where(*where).order_by(*order_by).limit(limit + 1)
    )
    return slice_rows((await session.execute(statement)).mappings().all(), limit)


async def find_comment(
    session: AsyncSession, comment_id: UUID, *, now: datetime
) -> RowMapping | None:
    """Return a comment of a public article as staff see it, with its open item if it has one."""
    statement = _select_comments(now, only_waiting=False).where(
        col(Comment.id) == comment_id, is_public(), is_listed_for_staff()
    )
    row: RowMapping | None = (await session.execute(statement)).mappings().one_or_none()
    return row


async def list_reports(
    session: AsyncSession, comment_ids: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return the latest reports on comments with their reporters, MAX_REPORTS of each."""
    wanted = _unnest(comment_ids)
    latest = lateral(
        select(Report)
        .where(col(Report.comment_id) == wanted.c.id)
        .order_by(col(Report.created_at).desc(), col(Report.id).desc())
        .limit(MAX_REPORTS)
    ).alias("r")
    statement = (
        select(latest, *_person_columns(User, "reporter"))
        .select_from(wanted)
        .join(latest, true())
        .join(User, col(User.id) == latest.c.reporter_id)
        .order_by(latest.c.created_at.desc(), latest.c.id.desc())
    )
    return (await session.execute(statement)).mappings().all()


async def list_findings(
    session: AsyncSession, comment_ids: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return what screening found in comments, the latest MAX_FINDINGS of each."""
    wanted = _unnest(comment_ids)
    latest = lateral(
        select(ScreeningDecision)
        .where(col(ScreeningDecision.comment_id) == wanted.c.id)
        .order_by(col(ScreeningDecision.created_at).desc())
        .limit(MAX_FINDINGS)
    ).alias("d")
    statement = (
        select(latest)
        .select_from(wanted)
        .join(latest, true())
        .order_by(latest.c.created_at.desc(), latest.c.span_start)
    )
    return (await session.execute(statement)).mappings().all()


async def list_ancestors(session: AsyncSession, ids: Collection[UUID]) -> Sequence[RowMapping]:
    """Return comments as staff see them, for the context of others."""
    statement = select(
        *(col(getattr(Comment, name)) for name in ("id", "state", "created_at")),
        case((shows_text_to_staff(), col(Comment.html)), else_="").label("html"),
        *_person_columns(User, "author"),
    )
    statement = statement.outerjoin(
        User, and_(col(User.id) == col(Comment.author_id), shows_text_to_staff())
    ).where(col(Comment.id) == any_(literal(list(ids), ARRAY(Uuid))))
    return (await session.execute(statement)).mappings().all()


async def count_records(
    session: AsyncSession, author_ids: Collection[UUID]
) -> dict[UUID, dict[str, int]]:
    """Return how many comments each person has in each state, counted up to MAX_COUNTED."""
    counts: dict[UUID, dict[str, int]] = {}
    rows = await session.execute(_RECORDS, {"ids": list(author_ids), "most": MAX_COUNTED})
    for author_id, kept, n, published, sanctions in rows.all():
        of_person = counts.setdefault(author_id, {"published": published, "sanctions": sanctions})
        if kept is not None:
            of_person[kept] = n
    return counts


async def load_surroundings(session: AsyncSession, rows: Sequence[RowMapping]) -> Surroundings:
    """Read what stands around comments: four statements, however many comments."""
    ids = [row["id"] for row in rows]
    above = {one for row in rows for one in row["ancestor_ids"][-MAX_ANCESTORS:]}
    authors = {row["author_id"] for row in rows if row["author_id"] is not None}
    ancestors = await list_ancestors(session, above)
    return Surroundings(
        ancestors={row["id"]: row for row in ancestors},
        reports=_group(await list_reports(session, ids)),
        findings=_group(await list_findings(session, ids)),
        records=await count_records(session, authors),
    )


def _select_comments(now: datetime, *, only_waiting: bool) -> Select[Any]:
    """Return the statement of comments with author, article, open item and claim."""
    claimer = aliased(User, name="claimer")
    is_open_item = and_(
        col(ReviewItem.comment_id) == col(Comment.id), col(ReviewItem.resolved_at).is_(None)
    )
    is_claimer = and_(
        col(claimer.id) == col(ReviewItem.claimed_by), col(ReviewItem.claimed_until) > now
    )
    return (
        select(
            *(col(getattr(Comment, name)) for name in _COMMENT),
            case((shows_text_to_staff(), col(Comment.body)), else_="").label("body"),
            case((shows_text_to_staff(), col(Comment.html)), else_="").label("html"),
            col(Article.slug),
            col(Article.title),
            *_person_columns(User, "author"),
            *_person_columns(claimer, "claimer"),
            *(col(getattr(ReviewItem, name)).label(f"item_{name}") for name in _ITEM),
        )
        .select_from(Comment)
        .join(ReviewItem, is_open_item, isouter=not only_waiting)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .outerjoin(User, and_(col(User.id) == col(Comment.author_id), shows_text_to_staff()))
        .outerjoin(claimer, is_claimer)
    )


def _unnest(ids: Collection[UUID]) -> TableValuedAlias:
    return (
        func.unnest(literal(list(ids), ARRAY(Uuid)))
        .table_valued(column("id", Uuid()))
        .render_derived(name="wanted")
    )


def _person_columns(person: type[User], role: str) -> list[ColumnElement[Any]]:
    return [col(getattr(person, name)).label(f"{role}_{name}") for name in _PERSON]


def _match(
    wanted: QueueFilter, moderator_id: UUID | None, now: datetime
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.source is not None:
        where.append(col(ReviewItem.source) == wanted.source)
    if wanted.article_id is not None:
        where.append(col(ReviewItem.article_id) == wanted.article_id)
    if wanted.tag is not None:
        where.append(_has_tag([wanted.tag]))
    if wanted.is_escalated is not None:
        where.append(col(ReviewItem.is_escalated).is_(wanted.is_escalated))
    is_mine = and_(col(ReviewItem.claimed_by) == moderator_id, col(ReviewItem.claimed_until) > now)
    if wanted.claimed is ClaimFilter.MINE:
        where.append(is_mine)
    elif wanted.claimed is ClaimFilter.FREE:
        is_free = or_(col(ReviewItem.claimed_until).is_(None), col(ReviewItem.claimed_until) <= now)
        where.append(or_(is_free, is_mine))
    return where


def _is_in_scope(scope: ModeratorScope) -> ColumnElement[bool]:
    if scope.is_empty:
        return false()
    ids = literal(list(scope.article_ids), ARRAY(Uuid))
    in_scope = or_(col(ReviewItem.article_id) == any_(ids), _has_tag(list(scope.tags)))
    # What was escalated is for moderators of the whole forum.
    return and_(in_scope, ~col(ReviewItem.is_escalated))


def _has_tag(tags: list[str]) -> ColumnElement[bool]:
    return exists().where(
        col(ArticleTag.article_id) == col(ReviewItem.article_id), col(ArticleTag.tag).in_(tags)
    )


def _group(rows: Iterable[RowMapping]) -> dict[UUID, list[RowMapping]]:
    grouped: dict[UUID, list[RowMapping]] = {}
    for row in rows:
        grouped.setdefault(row["comment_id"], []).append(row)
    return grouped
