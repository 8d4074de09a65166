"""Wake-ups: whoever commits an event tells others through Redis that there is one.

They may be lost, so whoever waits for them looks by themselves as well. (PostgreSQL's NOTIFY would
take a lock that all commits of the server share.)
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.kit.redis.client import GuardedRedis, RedisUnavailable

log = structlog.get_logger(__name__)

CHANNEL = "palaver:events"
# Seconds between two wake-ups of a process. At 400 writes a second one for each would take a
# twentieth of the processor time of a write; a worker takes what waits in batches anyway.
INTERVAL = 0.02
# Seconds until a listener that lost Redis connects again.
RECONNECT = 1.0
# Seconds of silence after which a listener asks whether Redis is still there, and then gives up.
SILENCE = 5.0


class WakeUps:
    """Sends wake-ups, one per channel in INTERVAL; nobody waits for them, and they never fail."""

    def __init__(self, redis: GuardedRedis) -> None:
        self._redis = redis
        self._next_at = 0.0  # seconds on the event loop's clock
        self._planned: asyncio.TimerHandle | None = None
        # What is to be sent on which channel.
        self._payloads: dict[str, bytearray] = {}
        self._sending: asyncio.Task[None] | None = None

    def send(self, channel: str = CHANNEL, payload: bytes = b"") -> None:
        """Wake the workers, or those who listen to another channel, now or after the interval.

        What is sent until then on one channel is one message, of all payloads one after the other.
        """
        self._payloads.setdefault(channel, bytearray()).extend(payload)
        if self._planned is None:
            loop = asyncio.get_running_loop()
            self._planned = loop.call_at(max(self._next_at, loop.time()), self._send)

    async def close(self) -> None:
        """Forget what was planned."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        self._planned = None
        self._next_at = loop.time() + INTERVAL
        self._sending = loop.create_task(self._publish())

    async def _publish(self) -> None:
        payloads, self._payloads = self._payloads, {}
        with suppress(RedisUnavailable):
            for channel, payload in payloads.items():
                await self._redis.execute("PUBLISH", channel, bytes(payload))


async def listen(url: str, wake: Callable[[], None]) -> None:
    """Call `wake` for each wake-up, until cancelled; connects again by itself.

    It has a connection of its own, since a subscription waits by design.
    """
    is_lost = False
    while True:
        try:
            async with (
                Redis.from_url(url, protocol=2, socket_connect_timeout=SILENCE) as redis,
                redis.pubsub() as subscription,
            ):
                await subscription.subscribe(CHANNEL)
                is_silent = False
                while True:
                    message = await subscription.get_message(timeout=SILENCE)
                    if message is None:
                        if is_silent:
                            raise TimeoutError("no response")
                        await subscription.ping()
                    elif message["type"] in ("subscribe", "message"):
                        # The first of them: what was sent before was not heard.
                        is_lost = False
                        wake()
                    is_silent = message is None
        except (OSError, RedisError) as error:
            if not is_lost:
                log.warning("wakeups_lost", reason=f"{type(error).__name__}: {error}")
            is_lost = True
            await asyncio.sleep(RECONNECT)
