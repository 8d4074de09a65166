"""Subscriptions to many channels, on one connection that connects again by itself.

What is published while Redis cannot be reached is not heard. So each channel is also reported when
it was subscribed, for the first time or again: whoever listens looks then for what was missed.
"""

import asyncio
import contextvars
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.kit.redis.wakeups import RECONNECT, SILENCE

log = structlog.get_logger(__name__)

# Channels in one command.
_BATCH = 500
# Nothing is published on it. It keeps the connection in the state of a subscriber.
_IDLE_CHANNEL = "palaver:idle"

Heard = Callable[[bytes], None]


class Subscriptions:
    """The channels that one process listens to; for one event loop.

    The connection is opened with the first channel and stays open until `close`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._channels: dict[str, Heard] = {}
        # Channels that were added or removed since the connection was told.
        self._changed: set[str] = set()
        self._has_changes = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, channel: str, heard: Heard) -> None:
        """Call `heard` with each message, and with b"" whenever the channel was subscribed."""
        self._channels[channel] = heard
        self._note_change(channel)
        if self._task is None:
            # It outlives the request that began it, whose context names it in the log.
            self._task = asyncio.create_task(self._run(), context=contextvars.Context())

    def unsubscribe(self, channel: str) -> None:
        """Listen no longer."""
        self._channels.pop(channel, None)
        self._note_change(channel)

    async def close(self) -> None:
        """Close the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _note_change(self, channel: str) -> None:
        self._changed.add(channel)
        self._has_changes.set()

    async def _run(self) -> None:
        is_lost = False
        while True:
            try:
                async with Redis.from_url(
                    self._url,
                    protocol=2,
                    driver_info=None,
                    socket_timeout=None,
                    socket_connect_timeout=SILENCE,
                    retry=Retry(NoBackoff(), 0),
                ) as redis:
                    connection = await redis.connection_pool.get_connection()  # type: ignore[no-untyped-call]
                    await connection.send_command("SUBSCRIBE", _IDLE_CHANNEL)
                    is_lost = False
                    await self._follow(connection)
            except (OSError, RedisError) as error:
                if not is_lost:
                    log.warning("subscriptions_lost", reason=f"{type(error).__name__}: {error}")
                is_lost = True
            await asyncio.sleep(RECONNECT)

    async def _follow(self, connection: AbstractConnection) -> None:
        """Listen, and tell the connection of changes meanwhile; raises what either raises.

        redis-py's own PubSub would connect again in both tasks at once, and lose one connection.
        """
        self._changed.update(self._channels)
        self._has_changes.set()
        tasks = [
            asyncio.create_task(self._apply_changes(connection)),
            asyncio.create_task(self._listen(connection)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _apply_changes(self, connection: AbstractConnection) -> None:
        while True:
            await self._has_changes.wait()
            self._has_changes.clear()
            changed, self._changed = sorted(self._changed), set()
            for start in range(0, len(changed), _BATCH):
                batch = changed[start : start + _BATCH]
                wanted = [channel for channel in batch if channel in self._channels]
                unwanted = [channel for channel in batch if channel not in self._channels]
                if wanted:
                    await connection.send_command("SUBSCRIBE", *wanted)
                if unwanted:
                    await connection.send_command("UNSUBSCRIBE", *unwanted)

    async def _listen(self, connection: AbstractConnection) -> None:
        is_silent = False
        while True:
            # None after so many seconds without a message.
            message = await connection.read_response(timeout=SILENCE)
            if message is None:
                if is_silent:
                    raise TimeoutError("no response")
                await connection.send_command("PING")
                is_silent = True
                continue
            is_silent = False
            kind, name, *rest = message
            heard = self._channels.get(name.decode())
            if heard is not None and kind in (b"subscribe", b"message"):
                heard(rest[0] if kind == b"message" else b"")
