"""What follows for open streams from events of other domains."""

from api.kit.services import Services
from api.notifications.events import NotificationsAdded
from api.realtime.channels import INBOXES


async def wake_inboxes(services: Services, event: NotificationsAdded) -> None:
    """Let every process look at the inboxes that something was added to.

    Nobody waits for it, and the worker does not repeat it: whoever misses it looks within seconds.
    """
    services.wakeups.send(INBOXES, b"".join(user_id.bytes for user_id in event.user_ids))
