"""Read and replace how a person is notified."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.unit_of_work import UnitOfWork
from api.notifications.policy import Channel, default_channel
from api.notifications.settings import queries
from api.notifications.settings.schemas import (
    ChannelRead,
    ChannelsRead,
    NotificationSettingsPut,
    NotificationSettingsRead,
)
from models import NotificationKind


async def read_settings(session: AsyncSession, user_id: UUID) -> NotificationSettingsRead:
    """Return how a person is notified, of every kind, chosen or not."""
    follows = await queries.find_follows_own_threads(session, user_id)
    chosen = await queries.find_channels(session, user_id)
    channels = {kind: chosen.get(kind) or default_channel(kind) for kind in NotificationKind}
    return NotificationSettingsRead(
        follows_own_threads=follows is not False,
        channels=ChannelsRead(
            **{
                kind.value: ChannelRead(mail=channel.mail, push=channel.push)
                for kind, channel in channels.items()
            }
        ),
    )


async def replace_settings(
    uow: UnitOfWork, user_id: UUID, body: NotificationSettingsPut
) -> NotificationSettingsRead:
    """Store how a person is notified; kinds that are left out get their defaults."""
    chosen = {
        NotificationKind(name): Channel(mail=channel.mail, push=channel.push)
        for name, channel in body.channels
        if channel is not None
    }
    await queries.lock_settings(uow.session, user_id, follows_own_threads=body.follows_own_threads)
    await queries.replace_channels(uow.session, user_id, chosen)
    return await read_settings(uow.session, user_id)
