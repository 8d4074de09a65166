"""Every statement of Web Push."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    any_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid
from sqlmodel import col

from api.moderation.sanctions.queries import is_restricted
from api.notifications.inbox.queries import find_deliverable
from api.notifications.policy import default_channel
from models import (
    LoginSession,
    Notification,
    NotificationChannel,
    NotificationKind,
    PushSubscription,
    SanctionKind,
    User,
)


async def lock_owner(session: AsyncSession, user_id: UUID) -> None:
    """Let nobody else add a subscription of this person until the transaction ends."""
    await session.execute(
        select(col(User.id)).where(col(User.id) == user_id).with_for_update(key_share=True)
    )


async def delete_ended(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Delete the subscriptions of a person's sessions that have ended."""
    ended = select(col(LoginSession.id)).where(
        col(LoginSession.user_id) == user_id, ~_is_alive(now)
    )
    await session.execute(
        delete(PushSubscription)
        .where(col(PushSubscription.session_id).in_(ended))
        .execution_options(synchronize_session=False)
    )


async def count_others(session: AsyncSession, user_id: UUID, endpoint: str) -> int:
    """Return how many subscriptions a person has besides the one of an endpoint."""
    statement = select(func.count()).where(
        col(PushSubscription.user_id) == user_id, col(PushSubscription.endpoint) != endpoint
    )
    return await session.scalar(statement) or 0


async def store_subscription(
    session: AsyncSession, subscription: PushSubscription
) -> PushSubscription:
    """Store a subscription instead of the one of the same endpoint; return it with its id."""
    values = subscription.model_dump()
    statement = insert(PushSubscription).values(values)
    replaced = {name: statement.excluded[name] for name in values if name != "id"}
    stored = statement.on_conflict_do_update(index_elements=["endpoint"], set_=replaced)
    return (
        await session.scalars(
            stored.returning(PushSubscription), execution_options={"populate_existing": True}
        )
    ).one()


async def list_subscriptions(
    session: AsyncSession, user_id: UUID, now: datetime
) -> Sequence[PushSubscription]:
    """Return a person's subscriptions whose sessions have not ended, the newest first."""
    statement = (
        select(PushSubscription)
        .outerjoin(LoginSession, col(LoginSession.id) == col(PushSubscription.session_id))
        .where(col(PushSubscription.user_id) == user_id, _has_session(now))
        .order_by(col(PushSubscription.created_at).desc(), col(PushSubscription.id).desc())
    )
    return (await session.scalars(statement)).all()


async def delete_subscription(
    session: AsyncSession, subscription_id: UUID, *, user_id: UUID, endpoint: str | None = None
) -> bool:
    """Delete a subscription of a person, of an endpoint if one is given; tell if there was one."""
    statement = delete(PushSubscription).where(
        col(PushSubscription.id) == subscription_id, col(PushSubscription.user_id) == user_id
    )
    if endpoint is not None:
        statement = statement.where(col(PushSubscription.endpoint) == endpoint)
    deleted = await session.scalars(
        statement.returning(col(PushSubscription.id)).execution_options(synchronize_session=False)
    )
    return deleted.one_or_none() is not None


async def find_target_ids(
    session: AsyncSession, notification_ids: Collection[UUID]
) -> Sequence[UUID]:
    """Return the subscriptions of people who want some of these notifications pushed."""
    statement = (
        select(col(PushSubscription.id))
        .distinct()
        .join(Notification, col(Notification.user_id) == col(PushSubscription.user_id))
        .outerjoin(NotificationChannel, _is_channel())
        .where(_is_one_of(notification_ids), _is_wanted())
    )
    return (await session.scalars(statement)).all()


async def find_subscription(
    session: AsyncSession, subscription_id: UUID, now: datetime
) -> PushSubscription | None:
    """Return a subscription whose session has not ended."""
    statement = (
        select(PushSubscription)
        .outerjoin(LoginSession, col(LoginSession.id) == col(PushSubscription.session_id))
        .where(col(PushSubscription.id) == subscription_id, _has_session(now))
    )
    return (await session.scalars(statement)).one_or_none()


async def list_pushed(
    session: AsyncSession, user_id: UUID, notification_ids: Collection[UUID], now: datetime
) -> Sequence[RowMapping]:
    """Return which of these notifications are to be pushed to a person now."""
    statement = (
        select(col(Notification.id))
        .outerjoin(NotificationChannel, _is_channel())
        .where(_is_one_of(notification_ids), col(Notification.user_id) == user_id, _is_wanted())
    )
    wanted = (await session.scalars(statement)).all()
    if not wanted or await is_restricted(session, user_id, SanctionKind.BAN, now):
        return []
    return await find_deliverable(session, wanted)


def _is_channel() -> ColumnElement[bool]:
    return (col(NotificationChannel.user_id) == col(Notification.user_id)) & (
        col(NotificationChannel.kind) == col(Notification.kind)
    )


def _is_wanted() -> ColumnElement[bool]:
    """Return whether the recipient wants a notification pushed, by choice or by default."""
    defaults = case(
        *(
            (col(Notification.kind) == kind, true() if default_channel(kind).push else false())
            for kind in NotificationKind
        )
    )
    return func.coalesce(col(NotificationChannel.push), defaults)


def _has_session(now: datetime) -> ColumnElement[bool]:
    return or_(col(PushSubscription.session_id).is_(None), _is_alive(now))


def _is_alive(now: datetime) -> ColumnElement[bool]:
    return col(LoginSession.revoked_at).is_(None) & (col(LoginSession.expires_at) > now)


def _is_one_of(ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(Notification.id) == any_(literal(list(ids), ARRAY(Uuid())))
