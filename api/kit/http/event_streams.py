"""Server-sent events: how a message is written, what waits for one client, and the response.

The format is that of the HTML standard, "Server-sent events". Nothing here compresses or buffers:
each part is written to the connection as it comes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.kit.http.head_requests import SENT_METHOD
from api.kit.http.responses import IS_STREAM

# Bytes of messages that wait for one client; the connection's own buffer (64 KiB) is full by then.
MAX_QUEUED_BYTES = 256 * 1024
# A comment, which clients ignore and which keeps proxies from closing the connection.
KEEP_ALIVE = b":\n\n"


class EndReason(StrEnum):
    """Why the service ended a stream."""

    # What was watched can no longer be seen.
    GONE = "gone"
    # Its credentials are no longer valid.
    CREDENTIALS = "credentials"
    # The client reads more slowly than messages come.
    SLOW = "slow"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is sent, and its position: the number that is its id.

    One that `resets` is sent wherever the client is, and moves it to its position.
    """

    position: int
    part: bytes
    resets: bool = False


def encode_message(event: str, position: int, data: Any, *, resets: bool = False) -> Message:
    """Return a message whose data is JSON, which has no line break."""
    # The driver's UUIDs are of a class of its own.
    encoded = orjson.dumps(data, default=str)
    part = b"event: %s\nid: %d\ndata: %s\n\n" % (event.encode(), position, encoded)
    return Message(position, part, resets)


def encode_position(position: int) -> bytes:
    """Return what moves a client's Last-Event-ID without a message."""
    return b"id: %d\n\n" % position


def encode_retry(milliseconds: int) -> bytes:
    """Return what tells a client how long to wait before it connects again."""
    return b"retry: %d\n\n" % milliseconds


class EventStream:
    """What waits to be sent to one client: an asynchronous iterator of bytes, bounded."""

    # Some thousands of these are open: without a dict for each.
    __slots__ = (
        *("_first", "_is_keep_alive_due", "_last", "_position", "_queue", "_queued_bytes"),
        *("_waiter", "ended"),
    )

    def __init__(self) -> None:
        self._first = b""
        self._last = b""
        self._position = -1
        self._queue: list[Message] = []
        self._queued_bytes = 0
        self._is_keep_alive_due = False
        self._waiter: asyncio.Future[None] | None = None
        # Why it has ended; None while it has not.
        self.ended: EndReason | None = None

    def begin(self, position: int, first: bytes) -> None:
        """Send `first`, and after that the messages that come after a position."""
        self._position, self._first = position, first

    def put(self, message: Message) -> None:
        """Add a message; end the stream where too many wait."""
        if self.ended is not None:
            return
        self._queued_bytes += len(message.part)
        if self._queued_bytes > MAX_QUEUED_BYTES:
            self._queue.clear()
            self.end(EndReason.SLOW)
            return
        self._queue.append(message)
        self._wake()

    def keep_alive(self) -> None:
        """Send a comment, unless something else is about to be sent."""
        self._is_keep_alive_due = True
        self._wake()

    def end(self, reason: EndReason, last: bytes = b"") -> None:
        """End the stream after what waits, and after `last`."""
        if self.ended is None:
            self.ended, self._last = reason, last
            self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return all that waits, in one part."""
        while True:
            part = self._take()
            if part:
                return part
            if self.ended is not None:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _take(self) -> bytes:
        messages, self._queue, self._queued_bytes = self._queue, [], 0
        parts = []
        for message in messages:
            if message.resets or message.position > self._position:
                self._position = message.position
                parts.append(message.part)
        if self._is_keep_alive_due and not parts:
            parts.append(KEEP_ALIVE)
        part = self._first + b"".join(parts)
        if self.ended is not None:
            part, self._last = part + self._last, b""
        self._first, self._is_keep_alive_due = b"", False
        return part

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class EventStreamResponse(StreamingResponse):
    """The response that a stream is sent in.

    It takes no part in the histogram of durations. `close` is called when it has ended, however it
    has. To HEAD it sends the headers alone.
    """

    media_type = "text/event-stream"

    def __init__(self, stream: EventStream, close: Callable[[], None]) -> None:
        # nginx buffers a response unless the response itself says otherwise.
        super().__init__(stream, headers={"X-Accel-Buffering": "no"})
        self._stream = stream
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until it ends or the client leaves."""
        scope[IS_STREAM] = True
        try:
            if scope.get(SENT_METHOD) == "HEAD":
                await send(
                    {
                        "type": "http.response.start",
                        "status": self.status_code,
                        "headers": self.raw_headers,
                    }
                )
                await send({"type": "http.response.body", "body": b""})
            else:
                await super().__call__(scope, receive, send)
        finally:
            self._close()
