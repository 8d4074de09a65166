"""Redis (or Valkey) for the cache and the limiter: it may die or freeze and nobody waits for it.

`connect` makes the client and `GuardedRedis` is the one way to use it: each call has a deadline,
and after a failure further calls are refused at once, until one call a second finds Redis well.
Streams and subscriptions wait by design and have a client of their own.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from prometheus_client import Counter
from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.typing import EncodableT

from api.kit.redis.servers import Servers

# A whole call (waiting for a connection, connecting, writing, reading) has 5 ticks of 0.05 s.
TICK_SECONDS = 0.05
CALL_TICKS = 5
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 1.0
MAX_CONNECTIONS = 32

FAILURES = Counter("palaver_redis_failures_total", "Calls to Redis that failed or took too long.")

# What Redis's state explains. Any other error (WRONGTYPE, an error in a script) is our mistake.
_UNAVAILABLE = (
    OSError,
    exceptions.ConnectionError,  # also: still loading, too many clients, a wrong password
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,  # a replica, during a failover
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
)
# The same without a class in redis-py. In a pipeline it puts words of its own before the code.
_UNAVAILABLE_CODES = re.compile(r"(?:^|caused error: \(')(?:BUSY|MISCONF|NOREPLICAS) ")

log = structlog.get_logger(__name__)

T = TypeVar("T")


class RedisUnavailable(Exception):  # noqa: N818 - named like DatabaseUnavailable
    """Redis cannot be reached now; the caller does without it."""


def connect(url: str) -> Redis:
    """Return a client for GuardedRedis; it connects at the first call.

    RESP2 and no driver info: a new connection is usable without a round trip (RESP3 says HELLO,
    asks for maintenance notices and names the driver: 1.7 ms instead of 0.5 ms). No retries: by
    default redis-py makes seconds of a dead Redis. No timeouts: GuardedRedis has one deadline for
    the whole call, while redis-py makes a task for each write to time it (125 instead of 70 µs a
    call). The pool raises where it would have to wait; GuardedRedis waits in its place.

    Options in the URL's query (`?db=1`) win over these.
    """
    return Redis.from_url(
        url,
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=None,
        health_check_interval=0,
        # And the one that `execute` keeps.
        max_connections=MAX_CONNECTIONS + 1,
    )


class GuardedRedis:
    """A Redis client behind a deadline and a circuit breaker, for one event loop."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock  # seconds
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._servers = Servers(redis, clock=clock)
        self._kept_connection: AbstractConnection | None = None
        self._under_way: dict[asyncio.Timeout, int] = {}  # and the tick at which each began
        self._ticks = 0
        self._next_tick: asyncio.TimerHandle | None = None
        self._unavailable_since: float | None = None
        self._retry_at = 0.0

    async def call(self, operation: Callable[[Redis], Awaitable[T]]) -> T:
        """Return what `operation` does with Redis, on one connection at a time.

        Raises RedisUnavailable within 0.25 s when Redis is dead, frozen, overloaded, or refuses
        because of its own state. What is wrong with the operation itself is raised as it is.
        """
        if self._is_refusing():
            raise RedisUnavailable("not asked: it failed less than a second ago")
        try:
            async with asyncio.timeout(None) as scope:
                self._watch(scope)
                try:
                    async with self._slots:
                        result = await operation(self._redis)
                finally:
                    del self._under_way[scope]
        except (OSError, exceptions.RedisError) as error:
            if not _means_unavailable(error):
                raise
            reason = f"{type(error).__name__}: {str(error) or 'no reply in time'}"
            self._open(reason)
            raise RedisUnavailable(reason) from error
        self._close_breaker()
        return result

    async def execute(self, *command: EncodableT) -> Any:
        """Return the reply to a command, which may be sent twice; raises what `call` raises.

        It goes over a connection of its own that is kept open. For each command redis-py takes one
        from its pool, checks its health, prepares to retry, measures, and gives it back: all that
        takes longer than the command.
        """
        return await self.call(lambda redis: self._execute(redis.connection_pool, command, None))

    async def execute_on_server(self, make_command: Callable[[str], Sequence[EncodableT]]) -> Any:
        """Do the same with a command that is made for the server which will get it.

        `make_command` gets the server's id: 16 hex digits of its replication id, which is another
        one after a restart, and after a replica was promoted. It may be called twice. A replica
        counts as unavailable, since it may be behind.
        """
        return await self.call(lambda redis: self._execute(redis.connection_pool, (), make_command))

    async def _execute(
        self,
        pool: ConnectionPool,
        command: Sequence[EncodableT],
        make_command: Callable[[str], Sequence[EncodableT]] | None,
    ) -> Any:
        connection, self._kept_connection = self._kept_connection, None
        if connection is not None:
            # Redis may have closed it since, or be another server behind it. If that is so for
            # longer, a new connection fails as well.
            with contextlib.suppress(OSError, exceptions.ConnectionError):
                return await self._exchange(pool, connection, command, make_command)
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        return await self._exchange(pool, connection, command, make_command)

    async def _exchange(
        self,
        pool: ConnectionPool,
        connection: AbstractConnection,
        command: Sequence[EncodableT],
        make_command: Callable[[str], Sequence[EncodableT]] | None,
    ) -> Any:
        try:
            if make_command is None:
                await connection.send_command(*command)
                reply = await connection.read_response()
            else:
                reply = await self._servers.exchange(connection, make_command)
        except BaseException:
            # Also when cut off: a late reply must not be read as the next command's.
            await connection.disconnect(nowait=True)
            await pool.release(connection)
            raise
        if self._kept_connection is None:
            self._kept_connection = connection
        else:
            await pool.release(connection)
        return reply

    async def close(self) -> None:
        """Close the connections, also those on which Redis does not reply."""
        with contextlib.suppress(OSError, exceptions.RedisError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._redis.aclose()

    def _watch(self, scope: asyncio.Timeout) -> None:
        self._under_way[scope] = self._ticks
        if self._next_tick is None:
            loop = asyncio.get_running_loop()
            self._next_tick = loop.call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """Cut off the calls that saw their last tick.

        Time is told in turns of the event loop: when this process is too busy to read a reply
        for a while, that is one tick, and not Redis's fault. (Else an overload would open the
        breaker, and the work that Redis spares us would come on top of it.)
        """
        self._ticks += 1
        for scope, began in self._under_way.items():
            if self._ticks - began < CALL_TICKS:
                break  # the others began later
            _cut_off(scope)
        self._next_tick = None
        if self._under_way:
            self._next_tick = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _is_refusing(self) -> bool:
        if self._unavailable_since is None:
            return False
        now = self._clock()
        if now < self._retry_at:
            return True
        self._retry_at = now + RETRY_SECONDS  # this call is the probe; no other for a second
        return False

    def _open(self, reason: str) -> None:
        FAILURES.inc()
        now = self._clock()
        self._retry_at = now + RETRY_SECONDS
        if self._unavailable_since is not None:
            return
        self._unavailable_since = now
        log.warning("redis_unavailable", reason=reason)
        # Those who asked a moment later need not find it out each for themselves. redis-py drops
        # the connection of a call that is cut off, so no late reply is read as another command's.
        for scope in self._under_way:
            _cut_off(scope)

    def _close_breaker(self) -> None:
        if self._unavailable_since is not None:
            log.info(
                "redis_available_again",
                unavailable_seconds=round(self._clock() - self._unavailable_since, 3),
            )
            self._unavailable_since = None


def _cut_off(scope: asyncio.Timeout) -> None:
    if not scope.expired():
        scope.reschedule(0)


def _means_unavailable(error: Exception) -> bool:
    return isinstance(error, _UNAVAILABLE) or (
        isinstance(error, exceptions.ResponseError)
        and _UNAVAILABLE_CODES.search(str(error)) is not None
    )
