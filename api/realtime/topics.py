"""What is watched: each subject is read once per process and wake-up, for all who watch it.

A subject (an article, an inbox) has a position that only grows. A wake-up says that it may have
grown, never what is new: that is read from the database, after the position that was read last. So
wake-ups may come twice, too early, or not at all where something else looks from time to time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from api.kit.http.event_streams import EndReason, EventStream, Message

# Subjects in one statement.
BATCH = 500
# Messages of one subject in one read: a client gets them before the next ones come.
MESSAGES = 100
# Seconds between two reads while there is always something new: a read takes a connection.
PACE = 0.01
# Streams that get a message in one turn of the event loop; other requests have theirs in between.
_TURN = 100


@dataclass(frozen=True, slots=True)
class Update:
    """What was read of a subject: its messages up to `position`, of `newest` that there is."""

    position: int
    newest: int
    messages: tuple[Message, ...]
    # Whether those who watch it may.
    is_visible: bool = True


# At most so many messages of each subject.
Read = Callable[[Mapping[UUID, int | None], int], Awaitable[Mapping[UUID, Update]]]


class Channels(Protocol):
    """Where wake-ups of single subjects come from."""

    def subscribe(self, subject: UUID, wake: Callable[[], None]) -> None:
        """Call `wake` from now on."""
        ...

    def unsubscribe(self, subject: UUID) -> None:
        """Call it no longer."""
        ...


class _Topic:
    __slots__ = ("position", "ready", "streams", "subject")

    def __init__(self, subject: UUID) -> None:
        self.subject = subject
        # None until it was read for the first time.
        self.position: int | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.streams: dict[EventStream, None] = {}


class Topics:
    """The watched subjects of one kind.

    `read` returns what came after the position of each subject, as of one snapshot, or no more than
    the newest position where it gets None; `make_reset` what tells a client that missed too much.
    """

    def __init__(
        self, read: Read, make_reset: Callable[[UUID, int], Message], channels: Channels
    ) -> None:
        self.read = read
        self.make_reset = make_reset
        self._channels = channels
        self._topics: dict[UUID, _Topic] = {}
        self._woken: dict[UUID, None] = {}
        self._has_woken = asyncio.Event()

    async def join(self, subject: UUID, stream: EventStream) -> None:
        """Let a stream get every message that is committed from now on, and perhaps older ones.

        Raises DatabaseUnavailable; then the stream has to leave all the same.
        """
        topic = self._topics.get(subject)
        if topic is None:
            topic = self._topics[subject] = _Topic(subject)
            self._channels.subscribe(subject, lambda: self.wake(subject))
            self.wake(subject)
        topic.streams[stream] = None
        await asyncio.shield(topic.ready)

    def leave(self, subject: UUID, stream: EventStream) -> None:
        """Give a stream no more messages; watch the subject no longer than somebody listens."""
        topic = self._topics.get(subject)
        if topic is not None and topic.streams.pop(stream, 0) is None and not topic.streams:
            del self._topics[subject]
            self._channels.unsubscribe(subject)

    def wake(self, subject: UUID) -> None:
        """Read a subject, if it is watched."""
        if subject in self._topics:
            self._woken[subject] = None
            self._has_woken.set()

    def wake_all(self) -> None:
        """Read all subjects."""
        self._woken.update(dict.fromkeys(self._topics))
        if self._woken:
            self._has_woken.set()

    async def tell_woken(self) -> None:
        """Wait until subjects are woken, read some of them, and tell those who watch them."""
        await self._has_woken.wait()
        subjects = list(self._woken)[:BATCH]
        for subject in subjects:
            del self._woken[subject]
        if not self._woken:
            self._has_woken.clear()
        woken = [self._topics[subject] for subject in subjects if subject in self._topics]
        try:
            updates = await self.read({topic.subject: topic.position for topic in woken}, MESSAGES)
        except Exception as error:
            self._put_off(woken, error)
            raise
        for topic in woken:
            await self._tell(topic, updates[topic.subject])
        await asyncio.sleep(PACE)

    def _put_off(self, woken: list[_Topic], error: Exception) -> None:
        """Refuse those who wait for a first read; read the other subjects later."""
        for topic in woken:
            if topic.position is None:
                topic.ready.set_exception(error)
                # Nobody may wait any more; then nobody else looks at it.
                topic.ready.exception()
                self._forget(topic)
            else:
                self.wake(topic.subject)

    def _forget(self, topic: _Topic) -> None:
        """Let the next who joins begin anew."""
        if self._topics.get(topic.subject) is topic:
            del self._topics[topic.subject]
            self._channels.unsubscribe(topic.subject)

    async def _tell(self, topic: _Topic, update: Update) -> None:
        topic.position = update.position
        if not topic.ready.done():
            topic.ready.set_result(None)
        if update.position < update.newest:
            self.wake(topic.subject)
        elif not update.is_visible:
            self._forget(topic)
        if not update.messages and update.is_visible:
            return
        # Whoever joins meanwhile reads what they need themselves.
        for number, stream in enumerate(list(topic.streams), 1):
            for message in update.messages:
                stream.put(message)
            if not update.is_visible and update.position >= update.newest:
                stream.end(EndReason.GONE)
            if number % _TURN == 0:
                await asyncio.sleep(0)
