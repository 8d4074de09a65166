"""Statements of the figures of moderation. Days are those of UTC."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import DateTime, RowMapping, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

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
_RULES = text("""
SELECT d.phase, d.rule_id, d.rule,
       count(*) FILTER (WHERE d.outcome = 'hold') AS held,
       count(*) FILTER (WHERE d.outcome = 'reject') AS rejected,
       count(*) FILTER (WHERE d.outcome = 'flag') AS flagged,
       count(*) FILTER (WHERE i.resolution = 'approved') AS approved,
       count(*) FILTER (WHERE i.resolution IN ('hidden', 'removed')) AS upheld
FROM screening_decisions d
LEFT JOIN LATERAL (
  SELECT i.resolution FROM review_items i
  WHERE i.comment_id = d.comment_id AND i.opened_at >= d.created_at
  ORDER BY i.opened_at LIMIT 1
) i ON d.outcome <> 'reject'
WHERE d.created_at >= :starts_at AND d.created_at < :ends_at AND d.is_decisive
GROUP BY d.phase, d.rule_id, d.rule
ORDER BY count(*) DESC, d.phase, d.rule
LIMIT :most
""").bindparams(
    bindparam("starts_at", type_=DateTime(timezone=True)),
    bindparam("ends_at", type_=DateTime(timezone=True)),
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
        "most": MAX_RULES,
    }
    return (await session.execute(_RULES, values)).mappings().all()


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _first_id_of(moment: datetime) -> UUID:
    """Return an id below all UUIDv7 of a moment and after: 48 bits of milliseconds, then zeros."""
    return UUID(int=round(moment.timestamp() * 1000) << 80)
