"""Every statement of mail."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    any_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid
from sqlmodel import col

from api.moderation.sanctions.queries import is_restricted
from api.notifications.inbox.queries import find_deliverable
from api.notifications.policy import default_channel
from models import (
    Inbox,
    MailDigest,
    MailFrequency,
    Notification,
    NotificationChannel,
    NotificationKind,
    SanctionKind,
    User,
)

# What those are told by mail, too, whose accounts are banned: they can appeal.
_TOLD_TO_BANNED = frozenset({NotificationKind.DECISION, NotificationKind.APPEAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest:
    """A person who is due a digest: of the notifications above one number, up to another."""

    user_id: UUID
    # None where the person chose this frequency since the last look.
    after: int | None
    up_to: int


async def find_mailed_ids(
    session: AsyncSession, notification_ids: Collection[UUID]
) -> Sequence[UUID]:
    """Return which notifications their recipients want by mail at once."""
    statement = (
        _select_ids()
        .where(_is_one_of(notification_ids), _chosen_frequency() == MailFrequency.IMMEDIATELY)
        .order_by(col(Notification.id))
    )
    return (await session.scalars(statement)).all()


async def find_mail(
    session: AsyncSession, notification_id: UUID, now: datetime
) -> RowMapping | None:
    """Return a notification that is to be mailed at once, if it still is."""
    if not await find_mailed_ids(session, [notification_id]):
        return None
    rows = await find_deliverable(session, [notification_id])
    mailable = await _leave_out_banned(session, rows, now)
    return mailable[0] if mailable else None


async def list_digest_rows(
    session: AsyncSession,
    user_id: UUID,
    frequency: MailFrequency,
    *,
    after: int,
    up_to: int,
    not_before: datetime,
    now: datetime,
    limit: int,
) -> tuple[Sequence[RowMapping], int]:
    """Return what a digest shows, at most `limit` and the newest of it, and how many others.

    Of the others at most `limit` are counted.
    """
    statement = (
        _select_ids()
        .where(
            col(Notification.user_id) == user_id,
            col(Notification.number) > after,
            col(Notification.number) <= up_to,
            col(Notification.created_at) >= not_before,
            col(Notification.read_at).is_(None),
            _chosen_frequency() == frequency,
        )
        .order_by(col(Notification.number).desc())
        .limit(2 * limit)
    )
    ids = (await session.scalars(statement)).all()
    if not ids:
        return [], 0
    rows = await _leave_out_banned(session, await find_deliverable(session, ids), now)
    return rows[-limit:], max(0, len(rows) - limit)


async def list_due_digests(
    session: AsyncSession, frequency: MailFrequency, *, since: datetime, limit: int
) -> list[DueDigest]:
    """Return people whose last digest of a frequency was scheduled before `since`, or never."""
    wanting = (
        select(col(NotificationChannel.user_id))
        .where(col(NotificationChannel.mail) == frequency)
        .distinct()
        .subquery()
    )
    last = col(MailDigest.scheduled_at)
    statement = (
        select(
            wanting.c.user_id, col(MailDigest.last_number), func.coalesce(col(Inbox.last_number), 0)
        )
        .select_from(wanting)
        .outerjoin(Inbox, col(Inbox.user_id) == wanting.c.user_id)
        .outerjoin(
            MailDigest,
            (col(MailDigest.user_id) == wanting.c.user_id)
            & (col(MailDigest.frequency) == frequency),
        )
        .where(or_(last.is_(None), last < since))
        .order_by(wanting.c.user_id)
        .limit(limit)
    )
    return [
        DueDigest(user_id=user_id, after=after, up_to=up_to)
        for user_id, after, up_to in await session.execute(statement)
    ]


async def note_digests(
    session: AsyncSession, frequency: MailFrequency, due: Sequence[DueDigest], now: datetime
) -> None:
    """Note up to which number the digests of these people have come."""
    statement = insert(MailDigest).values(
        [
            {
                "user_id": one.user_id,
                "frequency": frequency,
                "last_number": one.up_to,
                "scheduled_at": now,
            }
            for one in due
        ]
    )
    excluded = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "frequency"],
            set_={"last_number": excluded.last_number, "scheduled_at": excluded.scheduled_at},
        )
    )


async def _leave_out_banned(
    session: AsyncSession, rows: Sequence[RowMapping], now: datetime
) -> list[RowMapping]:
    """Return the rows, all of one person, that a banned one gets, if the person is banned."""
    if not rows or not await is_restricted(session, rows[0]["user_id"], SanctionKind.BAN, now):
        return list(rows)
    return [row for row in rows if row["kind"] in _TOLD_TO_BANNED]


def _select_ids() -> Select[UUID]:
    """Select the ids of notifications of people who have an address."""
    return (
        select(col(Notification.id))
        .join(User, col(User.id) == col(Notification.user_id))
        .outerjoin(
            NotificationChannel,
            (col(NotificationChannel.user_id) == col(Notification.user_id))
            & (col(NotificationChannel.kind) == col(Notification.kind)),
        )
        .where(col(User.email).is_not(None))
    )


def _chosen_frequency() -> ColumnElement[str]:
    """Return when the recipient wants a notification by mail, by choice or by default."""
    defaults = case(
        *(
            (col(Notification.kind) == kind, literal(default_channel(kind).mail.value))
            for kind in NotificationKind
        )
    )
    return func.coalesce(col(NotificationChannel.mail), defaults)


def _is_one_of(ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(Notification.id) == any_(literal(list(ids), ARRAY(Uuid())))
