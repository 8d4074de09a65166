"""The channels of Redis that wake-ups of single subjects come from."""

from collections.abc import Callable
from uuid import UUID

from api.kit.cache.versioned import VersionedCache
from api.kit.redis.subscriptions import Subscriptions

# One for all inboxes: a message is the ids of their owners, one after the other. So what is added
# to many inboxes within some milliseconds is one message, and no command for each.
INBOXES = "palaver:inboxes"
_ID_SIZE = 16


class ArticleChannels:
    """Each article has a channel, on which the cache announces its new versions."""

    def __init__(self, cache: VersionedCache, subscriptions: Subscriptions) -> None:
        self._cache = cache
        self._subscriptions = subscriptions

    def subscribe(self, subject: UUID, wake: Callable[[], None]) -> None:
        """Call `wake` from now on."""
        self._subscriptions.subscribe(self._cache.name_channel(subject), lambda _: wake())

    def unsubscribe(self, subject: UUID) -> None:
        """Call it no longer."""
        self._subscriptions.unsubscribe(self._cache.name_channel(subject))


class InboxChannel:
    """All inboxes share one."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._wakes: dict[UUID, Callable[[], None]] = {}

    def subscribe(self, subject: UUID, wake: Callable[[], None]) -> None:
        """Call `wake` from now on."""
        if not self._wakes:
            self._subscriptions.subscribe(INBOXES, self._hear)
        self._wakes[subject] = wake

    def unsubscribe(self, subject: UUID) -> None:
        """Call it no longer."""
        self._wakes.pop(subject, None)
        if not self._wakes:
            self._subscriptions.unsubscribe(INBOXES)

    def _hear(self, ids: bytes) -> None:
        if not ids:
            # Subscribed: what was sent before was not heard.
            wakes = list(self._wakes.values())
        else:
            parts = (ids[start : start + _ID_SIZE] for start in range(0, len(ids), _ID_SIZE))
            owners = {UUID(bytes=part) for part in parts if len(part) == _ID_SIZE}
            wakes = [self._wakes[owner] for owner in owners if owner in self._wakes]
        for wake in wakes:
            wake()
