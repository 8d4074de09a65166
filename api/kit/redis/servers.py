"""Which Redis server is behind a connection, so that a key can contain it.

A server that takes over at the same address may be behind the one before: a replica that was
promoted before it had everything, a copy that was restored. Its replication id tells (`INFO
replication`): it is another one after every restart and after every promotion.

It is read once on every new connection. On one that stays open it is read again every second, in
the round trip of a command: a server that becomes a replica keeps its connections open, unless it
is told otherwise (Sentinel does).
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.typing import EncodableT

# Seconds for which a connection is taken to lead to the same server.
CHECK_EVERY = 1.0
_ID_LENGTH = 16
_ID = re.compile(r"[0-9a-f]{40}")
_INFO = ("INFO", "replication")
# What is known of a connection's server is kept with the connection.
_ATTRIBUTE = "palaver_server"


@dataclass(frozen=True, slots=True)
class _Server:
    id: str
    checked_at: float


class ServerUnknown(exceptions.ConnectionError):
    """The server is a replica, or does not say which server it is, or is another one now."""


class Servers:
    """Which server is behind each connection of a client."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock  # seconds
        redis.connection_pool.connection_kwargs["redis_connect_func"] = self._forget

    async def exchange(
        self,
        connection: AbstractConnection,
        make_command: Callable[[str], Sequence[EncodableT]],
    ) -> Any:
        """Send the command that is made for the server, and return the reply.

        Raises ServerUnknown; then the connection has to be closed.
        """
        server: _Server | None = vars(connection).get(_ATTRIBUTE)
        if server is None:
            await connection.send_command(*_INFO)
            server = await self._read_server(connection)
        elif self._clock() - server.checked_at >= CHECK_EVERY:
            commands = (_INFO, make_command(server.id))
            await connection.send_packed_command(connection.pack_commands(commands))
            now = await self._read_server(connection)
            reply = await connection.read_response()
            if now.id != server.id:
                raise ServerUnknown("another server is behind the connection now")
            return reply
        await connection.send_command(*make_command(server.id))
        return await connection.read_response()

    async def _forget(self, connection: AbstractConnection) -> None:
        """Set up a connection that was just opened, as redis-py would."""
        vars(connection).pop(_ATTRIBUTE, None)
        await connection.on_connect()

    async def _read_server(self, connection: AbstractConnection) -> _Server:
        """Read the reply to INFO. Raises ServerUnknown."""
        try:
            info: bytes = await connection.read_response()
        except exceptions.NoPermissionError as error:
            raise ServerUnknown(f"INFO is not permitted: {error}") from error
        # Lines of `name:value`, the first of which is a comment.
        values = dict(line.partition(b":")[::2] for line in info.splitlines())
        if values.get(b"role") != b"master":
            raise ServerUnknown("it is a replica, which may be behind")
        identity = values.get(b"master_replid", b"").decode()
        if not _ID.fullmatch(identity):
            raise ServerUnknown("INFO replication does not show a master_replid")
        server = _Server(identity[:_ID_LENGTH], self._clock())
        vars(connection)[_ATTRIBUTE] = server
        return server
