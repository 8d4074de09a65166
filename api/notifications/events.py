"""Events of notifications."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from api.kit.db.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsAdded(Event):
    """Notifications came into the inboxes of these people: `notification_ids[i]` of `user_ids[i]`.

    Whether a recipient may still see what it is about is to be read again.
    """

    type: ClassVar[str] = "notifications_added"

    notification_ids: tuple[UUID, ...]
    user_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowersLeft(Event):
    """A comment or a new article has more followers than one transaction notifies.

    Those up to `after`, in the order of their ids, were notified. `comment_id` is null for an
    article.
    """

    type: ClassVar[str] = "followers_left"

    article_id: UUID
    comment_id: UUID | None
    after: UUID
