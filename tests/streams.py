"""Event streams as clients get them, and clients that hang up on them.

httpx's transport for ASGI waits for the end of a response, which a stream does not have.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.client import Client

# Seconds; far above what a loaded machine needs.
PATIENCE = 20


@dataclass(frozen=True)
class Told:
    """A message of a stream."""

    event: str
    id: int
    data: dict[str, Any]


@dataclass
class Parser:
    """What a browser makes of the bytes of a stream."""

    text: str = ""
    last_id: int | None = None
    retry: int | None = None
    comments: int = 0

    def feed(self, part: bytes) -> list[Told]:
        """Return the messages that are complete now."""
        *blocks, self.text = (self.text + part.decode()).split("\n\n")
        told = []
        for block in blocks:
            fields: dict[str, str] = {}
            for line in block.split("\n"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            self.comments += "" in fields
            if "id" in fields:
                self.last_id = int(fields["id"])
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "data" in fields:
                told.append(Told(fields["event"], int(fields["id"]), json.loads(fields["data"])))
        return told


@dataclass
class Listening:
    """An open stream, or the response that came in its place."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    parser: Parser = field(default_factory=Parser)
    told: list[Told] = field(default_factory=list)
    has_ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            if self.headers["content-type"].startswith("text/event-stream"):
                self.told += self.parser.feed(message.get("body", b""))
            self.has_ended = not message.get("more_body", False)
        self.changed.set()

    async def wait_for(self, number: int) -> list[Told]:
        """Return so many messages, which may have to come yet."""
        async with asyncio.timeout(PATIENCE):
            while len(self.told) < number:
                assert not self.has_ended, self.body
                self.changed.clear()
                await self.changed.wait()
        return self.told

    async def wait_for_end(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not self.has_ended:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def listening(
    app: ASGIApp, path: str, client: Client | None = None, **headers: str
) -> AsyncIterator[Listening]:
    """Hold a stream open while the block runs; `headers` have `_` where names have `-`."""
    route, _, query = path.partition("?")
    given = {**(client.headers if client else {}), **headers}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": route,
        "raw_path": route.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().replace("_", "-").encode(), value.encode())
            for name, value in given.items()
        ],
        "client": ("127.0.0.1", 1234),
        "server": ("test", 80),
        "state": {},
    }
    heard, has_left, has_asked = Listening(), asyncio.Event(), False

    async def receive() -> Message:
        nonlocal has_asked
        if not has_asked:
            has_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await has_left.wait()
        return {"type": "http.disconnect"}

    task = asyncio.create_task(app(scope, receive, heard.hear))
    try:
        async with asyncio.timeout(PATIENCE):
            while not (heard.body or heard.has_ended):
                heard.changed.clear()
                await heard.changed.wait()
        yield heard
    finally:
        has_left.set()
        async with asyncio.timeout(PATIENCE):
            await task


def hanging_up(app: ASGIApp) -> ASGIApp:
    """Return the app for clients that hang up on a stream when its first part has come."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        has_body, is_stream, has_left = False, False, asyncio.Event()

        async def receive_and_leave() -> Message:
            nonlocal has_body
            if not has_body:
                message = await receive()
                has_body = not message.get("more_body", False)
                return message
            await has_left.wait()
            return {"type": "http.disconnect"}

        async def send_and_leave(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = (b"content-type", b"text/event-stream; charset=utf-8") in message[
                    "headers"
                ]
            if is_stream and message["type"] == "http.response.body":
                if has_left.is_set():
                    return
                has_left.set()
                message = {**message, "more_body": False}
            await send(message)

        if scope["type"] == "http":
            await app(scope, receive_and_leave, send_and_leave)
        else:
            await app(scope, receive, send)

    return call
