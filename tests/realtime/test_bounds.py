"""How many streams there may be, and what becomes of clients that do not read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from api.kit.http.connections import Connection, Connections
from api.kit.http.event_streams import (
    KEEP_ALIVE,
    MAX_QUEUED_BYTES,
    EndReason,
    EventStream,
    encode_message,
)
from api.kit.settings import Settings
from api.main import create_app, make_services
from tests.client import Client
from tests.conftest import MovableClock
from tests.streams import listening

Start = Callable[..., Awaitable[FastAPI]]


@pytest.fixture
async def start_narrow(
    settings: Settings, clock: MovableClock, client: Client
) -> AsyncIterator[Start]:
    """Return how to start another process of the service, which may have few streams."""
    async with AsyncExitStack() as stack:

        async def start(**bounds: int) -> FastAPI:
            app = create_app(make_services(settings.model_copy(update=bounds), clock))
            await stack.enter_async_context(LifespanManager(app))
            return app

        yield start


async def test_streams_are_bounded_for_a_process_a_person_and_an_address(
    client: Client, start_narrow: Start
) -> None:
    narrow = await start_narrow(max_streams_per_person=1, max_streams_per_address=2)
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/events"

    async def expect_refusal(
        app: FastAPI, status: int, code: str, of: Client | None = None
    ) -> None:
        async with listening(app, path, of) as refused:
            assert refused.status == status
            assert f'"code":"{code}"' in refused.body.decode()
            assert refused.headers["retry-after"] == "5"

    async with listening(narrow, path, person.client) as first:
        assert first.status == 200
        await expect_refusal(narrow, 429, "too_many_streams", person.client)
        async with listening(narrow, path) as second:
            assert second.status == 200
            await expect_refusal(narrow, 429, "too_many_streams")
    # Both are forgotten with their ends.
    async with listening(narrow, path, person.client) as first:
        assert first.status == 200
    for full in (await start_narrow(max_streams=1), await start_narrow(max_connections=3)):
        async with listening(full, path) as only:
            assert only.status == 200
            await expect_refusal(full, 503, "streams_exhausted")


async def test_a_client_that_is_too_slow_is_told_nothing_more() -> None:
    stream = EventStream()
    stream.begin(0, b"first")
    parts = [await anext(stream)]
    message = encode_message("change", 1, {"text": "x" * 1000})
    assert len(message.part) < MAX_QUEUED_BYTES / 200
    for number in range(1, 200):
        stream.put(encode_message("change", number, {"text": "x" * 1000}))
    # One that reads now and then gets all of it, in one part.
    parts.append(await anext(stream))
    assert parts[1].count(b"event: change") == 199
    stream.keep_alive()
    assert await anext(stream) == KEEP_ALIVE
    for number in range(200, 800):
        stream.put(encode_message("change", number, {"text": "x" * 1000}))
    assert stream.ended is EndReason.SLOW
    assert [part async for part in stream] == []


class Transport(asyncio.Transport):
    """A connection whose client reads nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 80)})
        self.is_cut_off = False

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return self.is_cut_off

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.is_cut_off = True


async def test_a_connection_that_is_not_read_is_cut_off() -> None:
    is_sent = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body: Message = {"type": "http.response.body", "body": b"x", "more_body": True}
        await send(body)
        is_sent.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    config = Config(app, log_config=None, ws="none")
    config.load()
    connection = Connection(
        connections=Connections(total=1, per_address=1),
        timeout=1,
        config=config,
        server_state=ServerState(),
        app_state={},
    )
    transport = Transport()
    connection.connection_made(transport)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await is_sent.wait()
    # A stream on which nothing happens is kept.
    for _ in range(20):
        connection.check_progress()
    assert not transport.is_cut_off
    connection.pause_writing()
    for _ in range(3):
        connection.check_progress()
    assert not transport.is_cut_off
    connection.check_progress()
    assert transport.is_cut_off
    connection.connection_lost(None)
