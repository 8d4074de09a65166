"""Every statement of the settings of notifications."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.notifications.policy import Channel, default_channel
from models import MailFrequency, NotificationChannel, NotificationKind, NotificationSettings


async def lock_settings(session: AsyncSession, user_id: UUID, *, follows_own_threads: bool) -> None:
    """Store what applies to all kinds; nobody else changes the person's settings meanwhile."""
    added = insert(NotificationSettings).values(
        user_id=user_id, follows_own_threads=follows_own_threads
    )
    chosen = {"follows_own_threads": follows_own_threads}
    await session.execute(added.on_conflict_do_update(index_elements=["user_id"], set_=chosen))


async def find_follows_own_threads(session: AsyncSession, user_id: UUID) -> bool | None:
    """Return whether a person follows the threads they write in; None if they did not choose."""
    settings = await session.get(NotificationSettings, user_id)
    return None if settings is None else settings.follows_own_threads


async def find_channels(session: AsyncSession, user_id: UUID) -> dict[NotificationKind, Channel]:
    """Return the channels that a person chose."""
    statement = select(NotificationChannel).where(col(NotificationChannel.user_id) == user_id)
    return {
        row.kind: Channel(mail=row.mail, push=row.push) for row in await session.scalars(statement)
    }


async def replace_channels(
    session: AsyncSession, user_id: UUID, channels: Mapping[NotificationKind, Channel]
) -> None:
    """Store exactly these choices of a person, whose settings are locked."""
    await session.execute(
        delete(NotificationChannel).where(col(NotificationChannel.user_id) == user_id)
    )
    if channels:
        rows = [
            {"user_id": user_id, "kind": kind, "mail": channel.mail, "push": channel.push}
            for kind, channel in channels.items()
        ]
        await session.execute(insert(NotificationChannel), rows)


async def switch_off_mail(
    session: AsyncSession, user_id: UUID, kinds: Collection[NotificationKind]
) -> None:
    """Let a person get no more mails of these kinds, at least one; push stays as it is."""
    await session.execute(
        # Locks the person's settings, as `lock_settings` does.
        insert(NotificationSettings)
        .values(user_id=user_id)
        .on_conflict_do_update(index_elements=["user_id"], set_={"user_id": user_id})
    )
    never = MailFrequency.NEVER
    rows = [
        {"user_id": user_id, "kind": kind, "mail": never, "push": default_channel(kind).push}
        for kind in kinds
    ]
    await session.execute(
        insert(NotificationChannel)
        .values(rows)
        .on_conflict_do_update(index_elements=["user_id", "kind"], set_={"mail": never})
    )
