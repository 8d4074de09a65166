"""Statements of the figures of moderation. Days are those of UTC."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Date, DateTime, Integer, RowMapping, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from api.screening.queries import delete_decisions

MAX_RULES = 200

# An id (UUIDv7) begins with the time of its making, so a range of them is a day of new comments.
_DAYS = text("""
SELECT d.starts_at, (
  SELECT count(*) FROM comments c WHERE c.id >= d.first_id AND c.id < d.end_id
) AS received, o.held, o.reported, o.flagged, l.approved, l.hidden, l.removed, l.restored,
  r.decided, r.median_seconds, r.slow_seconds
FROM unnest(:starts, :ends, :first_ids, :end_ids) AS d(starts_at, ends_at, first_id, end_id)
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE i.source = 'held') AS held,
         count(*) FILTER (WHERE i.source = 'reported') AS reported,
         count(*) FILTER (WHERE i.source = 'flagged') AS flagged
  FROM review_items i WHERE i.opened_at >= d.starts_at AND i.opened_at < d.ends_at
) o
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE m.action = 'approve') AS approved,
         count(*) FILTER (WHERE m.action = 'hide') AS hidden,
         count(*) FILTER (WHERE m.action = 'remove') AS removed,
         count(*) FILTER (WHERE m.action = 'restore') AS restored
  FROM moderation_log m WHERE m.created_at >= d.starts_at AND m.created_at < d.ends_at
) l
CROSS JOIN LATERAL (
  SELECT count(*) AS decided,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) AS median_seconds,
         percentile_cont(0.9) WITHIN GROUP (ORDER BY x.seconds) AS slow_seconds
  FROM (
    SELECT extract(epoch FROM i.resolved_at - i.opened_at)::float8 AS seconds
    FROM review_items i
    WHERE i.resolved_at >= d.starts_at AND i.resolved_at < d.ends_at
      AND i.resolution <> 'deleted'
  ) x
) r
ORDER BY d.starts_at
""").bindparams(
    bindparam("starts", type_=ARRAY(DateTime(timezone=True))),
    bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
    bindparam("first_ids", type_=ARRAY(Uuid())),
    bindparam("end_ids", type_=ARRAY(Uuid())),
)
# Of each comment counts the first decision of a moderator after the rule matched.
_COUNTED = """
       count(*) FILTER (WHERE d.outcome = 'hold') AS held,
       count(*) FILTER (WHERE d.outcome = 'flag') AS flagged,
       count(*) FILTER (WHERE d.outcome = 'reject') AS rejected,
       count(*) FILTER (WHERE i.resolution = 'approved') AS approved,
       count(*) FILTER (WHERE i.resolution IN ('hidden', 'removed')) AS upheld
"""
_DECIDED = """
LEFT JOIN LATERAL (
  SELECT i.resolution FROM review_items i
  WHERE i.comment_id = d.comment_id AND i.opened_at >= d.created_at
  ORDER BY i.opened_at LIMIT 1
) i ON d.outcome <> 'reject'
"""
# What decisions say that are there, and what those said that were purged.
_RULES = text(f"""
SELECT phase, nullif(rule_id, :no_rule) AS rule_id, rule, sum(held)::int AS held,
       sum(flagged)::int AS flagged, sum(rejected)::int AS rejected,
       sum(approved)::int AS approved, sum(upheld)::int AS upheld
FROM (
  SELECT d.phase, coalesce(d.rule_id, :no_rule) AS rule_id, d.rule, {_COUNTED}
  FROM screening_decisions d {_DECIDED}
  WHERE d.created_at >= :starts_at AND d.created_at < :ends_at AND d.is_decisive
  GROUP BY d.phase, d.rule_id, d.rule
  UNION ALL
  SELECT f.phase, f.rule_id, f.rule, f.held, f.flagged, f.rejected, f.approved, f.upheld
  FROM rule_figures f WHERE f.day >= :first AND f.day <= :last
) both_kinds
GROUP BY phase, rule_id, rule
ORDER BY sum(held + flagged + rejected) DESC, phase, rule
LIMIT :most
""").bindparams(
    bindparam("no_rule", UUID(int=0), type_=Uuid()),
    bindparam("starts_at", type_=DateTime(timezone=True)),
    bindparam("ends_at", type_=DateTime(timezone=True)),
    bindparam("first", type_=Date()),
    bindparam("last", type_=Date()),
)
# Decisions about comments that still wait are kept: the queue shows them.
_STORE = text(f"""
WITH old AS (
  SELECT d.* FROM screening_decisions d
  WHERE d.created_at < :before AND NOT EXISTS (
    SELECT FROM review_items w WHERE w.comment_id = d.comment_id AND w.resolved_at IS NULL
  )
  ORDER BY d.created_at LIMIT :limit
), stored AS (
  INSERT INTO rule_figures AS f
    (day, phase, rule_id, rule, held, flagged, rejected, approved, upheld)
  SELECT (d.created_at AT TIME ZONE 'UTC')::date, d.phase, coalesce(d.rule_id, :no_rule), d.rule,
         {_COUNTED}
  FROM old d {_DECIDED}
  WHERE d.is_decisive GROUP BY 1, 2, 3, 4
  ON CONFLICT (day, phase, rule_id, rule) DO UPDATE
  SET held = f.held + excluded.held, flagged = f.flagged + excluded.flagged,
      rejected = f.rejected + excluded.rejected, approved = f.approved + excluded.approved,
      upheld = f.upheld + excluded.upheld
)
SELECT id FROM old
""").bindparams(
    bindparam("no_rule", UUID(int=0), type_=Uuid()),
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("limit", type_=Integer()),
)


async def list_days(session: AsyncSession, first: date, last: date) -> Sequence[RowMapping]:
    """Return the figures of each day, the first and the last included."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    starts = [_start_of(day) for day in days]
    ends = [start + timedelta(days=1) for start in starts]
    values = {
        "starts": starts,
        "ends": ends,
        "first_ids": [_first_id_of(start) for start in starts],
        "end_ids": [_first_id_of(end) for end in ends],
    }
    return (await session.execute(_DAYS, values)).mappings().all()


async def list_rules(session: AsyncSession, first: date, last: date) -> Sequence[RowMapping]:
    """Return what became of the comments that each rule decided about, the busiest first."""
    values = {
        "starts_at": _start_of(first),
        "ends_at": _start_of(last) + timedelta(days=1),
        "first": first,
        "last": last,
        "most": MAX_RULES,
    }
    return (await session.execute(_RULES, values)).mappings().all()


async def purge_decisions(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` decisions of screening from before a moment; return how many.

    Their figures are kept by day.
    """
    ids = (await session.scalars(_STORE, {"before": before, "limit": limit})).all()
    await delete_decisions(session, ids)
    return len(ids)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _first_id_of(moment: datetime) -> UUID:
    """Return an id below all UUIDv7 of a moment and after: 48 bits of milliseconds, then zeros."""
    return UUID(int=round(moment.timestamp() * 1000) << 80)
