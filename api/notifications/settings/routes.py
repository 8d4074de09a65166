"""HTTP for the settings of notifications."""

from typing import Annotated

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, UowDep
from api.kit.http.routing import make_router
from api.notifications.settings import service
from api.notifications.settings.schemas import NotificationSettingsPut, NotificationSettingsRead

router = make_router("notifications")

Recipient = Annotated[Actor, requires(Scope.NOTIFICATIONS_READ)]
Chooser = Annotated[Actor, requires(Scope.NOTIFICATIONS_WRITE)]


@router.get("/me/notification-settings")
async def read_notification_settings(
    actor: Recipient, session: ReadSession
) -> NotificationSettingsRead:
    """Get how you are notified."""
    return await service.read_settings(session, actor.id)


@router.put("/me/notification-settings", dependencies=[limit(Action.NOTIFICATIONS)])
async def replace_notification_settings(
    body: NotificationSettingsPut, actor: Chooser, uow: UowDep
) -> NotificationSettingsRead:
    """Set how you are notified.

    What you leave out gets its default. The inbox has every notification, whatever you choose here.
    """
    return await service.replace_settings(uow, actor.id, body)
