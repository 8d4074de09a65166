"""Connections that send too much, too slowly, nothing, or what HTTP does not allow."""

import asyncio
import json
import random
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from tests.client import Client, expect, expect_problem
from tests.faults.looking import connected
from tests.faults.servers import Engine, Palaver, running
from tests.faults.test_processes import compose, holding_up, wait_until_held_up
from tests.waiting import PATIENCE

KIB = 1024
HEAD = b"GET /livez HTTP/1.1\r\nHost: test\r\n"
CHUNKED = (
    b"POST /v1/sessions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Wire:
    """A connection on which any bytes can be sent; all are closed when a test ends."""

    opened: ClassVar[list["Wire"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opened.append(self)

    @classmethod
    async def open(cls, palaver: Palaver, *, source: str = "127.0.0.1") -> "Wire":
        opened = await asyncio.open_connection(
            "127.0.0.1", palaver.port, local_addr=(source, 0), limit=KIB**2
        )
        return cls(*opened)

    async def send(self, data: bytes) -> None:
        """Send until all is sent or the server has hung up."""
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def read(self) -> httpx.Response:
        """Return the next response, which has a Content-Length."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = [(name, value) for name, _, value in (x.partition(": ") for x in lines)]
            response = httpx.Response(int(status.split()[1]), headers=headers)
            body = await self.reader.readexactly(int(response.headers["content-length"]))
            return httpx.Response(response.status_code, headers=headers, content=body)

    async def read_to_end(self) -> bytes:
        """Return what comes until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read(-1)

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.fixture(autouse=True)
async def _wires_closed() -> AsyncIterator[None]:
    yield
    for wire in Wire.opened:
        wire.close()
    Wire.opened.clear()
    await asyncio.sleep(0)  # asyncio closes their sockets in its next turn


async def expect_refusal(wire: Wire, status: int, code: str) -> dict[str, Any]:
    """Read a problem, and the end of the connection."""
    response = await wire.read()
    problem = expect_problem(response, status, code)
    assert response.headers["connection"] == "close"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "date" in response.headers
    assert await wire.read_to_end() == b""
    return problem


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"", b"A"),
        (b"GET /", b"a"),
        (HEAD + b"X-Long: ", b"a"),
        (HEAD + b"X-Long", b"a"),
        (HEAD, b"X-Many: a\r\n"),
        (HEAD + b"X-Folded: a\r\n", b" b\r\n"),
        (CHUNKED + b"1\r\n{\r\n0\r\n", b"X-Trailer: a\r\n"),
        (CHUNKED + b"1\r\n{\r\n0\r\nX-Trailer: ", b"a"),
        (CHUNKED + b"1;x=", b"a"),
        (b"", b"\r\n"),
    ],
)
async def test_a_head_without_end_is_refused_while_it_arrives(
    forum: Client, server: Palaver, beginning: bytes, more: bytes
) -> None:
    wire = await Wire.open(server)
    # More than it accepts, less than what the kernel takes off a sender's hands by itself.
    await wire.send(beginning + more * (200 * KIB // len(more)))
    response = await wire.read()
    assert response.status_code in (400, 431), response.text
    # Where bytes are no HTTP at all, that is found before their number.
    if response.status_code == 431 or beginning not in (b"", HEAD + b"X-Folded: a\r\n"):
        expect_problem(response, 431, "headers_too_large")
    expect(await forum.get("/livez"), 200)


async def test_a_head_just_below_the_bound_is_read(forum: Client, server: Palaver) -> None:
    wire = await Wire.open(server)
    for size, status in ((64 * KIB, 200), (64 * KIB + 1, 431)):
        padding = size - len(HEAD) - len(b"X-Long: \r\n\r\n")
        request = HEAD + b"X-Long: " + b"a" * padding
        await wire.send(request[: size // 2])
        await wire.send(request[size // 2 :])
        await wire.send(b"\r\n\r\n")
        assert (await wire.read()).status_code == status


async def test_requests_in_any_pieces_get_the_same_responses(
    forum: Client, server: Palaver
) -> None:
    body = {"login": "nobody", "password": "x" * 60_000}
    large = compose("POST", "/v1/sessions", {"X-Filling": "a" * 30_000}, body)
    stream = (large + HEAD + b"\r\n") * 3
    for seed in range(12):
        chance = random.Random(seed)
        cuts = sorted(chance.randrange(len(stream)) for _ in range(chance.choice([0, 1, 5, 40])))
        wire = await Wire.open(server)
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            await wire.send(stream[start:end])
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        statuses = [(await wire.read()).status_code for _ in range(6)]
        assert statuses == [422, 200] * 3, seed


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET /livez HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /livez\r\n\r\n", 400),
        (b"GET /livez HTTP/0.9\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /livez#part HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"NOTHING\r\n\r\n", 400),
        (b"GET /livez HTTP/1.0\r\n\r\n", 200),
        (b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", 200),
        (b"GET http://test/livez HTTP/1.1\r\nHost: test\r\n\r\n", 200),
    ],
)
async def test_what_http_does_not_allow_is_refused(
    forum: Client, server: Palaver, request_: bytes, status: int
) -> None:
    wire = await Wire.open(server)
    await wire.send(request_)
    if status == 400:
        await expect_refusal(wire, 400, "malformed_request")
    else:
        assert (await wire.read()).status_code == status


async def test_what_follows_a_request_does_not_take_its_response(
    forum: Client, server: Palaver, postgres: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    wire = await Wire.open(server)
    async with holding_up(postgres, article) as holder:
        await wire.send(compose("POST", path, person.client.headers, {"body": "First."}))
        await wait_until_held_up(holder, 1)
        await wire.send(b"no HTTP\r\n\r\n")
        await asyncio.sleep(0.05)
    assert expect(await wire.read(), 201)["body"] == "First."
    assert await wire.read_to_end() == b""


async def test_requests_in_advance_are_bounded(forum: Client, server: Palaver) -> None:
    wire = await Wire.open(server)
    await wire.send((HEAD + b"\r\n") * 2000)
    answers = await wire.read_to_end()
    assert 30 < answers.count(b"HTTP/1.1 200") < 40


async def test_a_trailer_is_no_header(forum: Client, server: Palaver) -> None:
    person = await forum.join()
    content = json.dumps({"title": "By nobody", "body": "Text."}).encode()
    authorization = f"Authorization: {person.client.headers['Authorization']}\r\n".encode()
    wire = await Wire.open(server)
    await wire.send(
        b"POST /v1/articles HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%s\r\n0\r\n%s\r\n"
        % (len(content), content, authorization)
    )
    expect_problem(await wire.read(), 401, "not_authenticated")


async def test_a_client_that_does_not_go_on_is_given_up(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    posting = compose("POST", "/v1/sessions", {}, {"login": "nobody", "password": "x" * 500})

    with running("serve", folder, postgres, valkey, request_timeout="1") as palaver:

        async def stop_after(part: bytes) -> None:
            wire = await Wire.open(palaver)
            await wire.send(part)
            await expect_refusal(wire, 408, "request_timeout")

        async def trickle(data: bytes) -> None:
            wire = await Wire.open(palaver)
            reading = asyncio.create_task(expect_refusal(wire, 408, "request_timeout"))
            for number in range(len(data)):
                if reading.done():
                    break
                await wire.send(data[number : number + 1])
                await asyncio.sleep(0.2)
            await reading

        async def say_nothing() -> None:
            wire = await Wire.open(palaver)
            assert await wire.read_to_end() == b""

        async def pause_between_requests() -> None:
            wire = await Wire.open(palaver)
            for _ in range(3):
                await wire.send(HEAD + b"\r\n")
                assert (await wire.read()).status_code == 200
                await asyncio.sleep(1.5)
            await wire.send(HEAD)
            await expect_refusal(wire, 408, "request_timeout")

        async def send_body_slowly() -> None:
            wire = await Wire.open(palaver)
            head, body = posting[:-100], posting[-100:]
            await wire.send(head)
            for number in range(0, 100, 25):
                await asyncio.sleep(0.4)
                await wire.send(body[number : number + 25])
            assert (await wire.read()).status_code == 422

        # All at once: each takes some seconds.
        await asyncio.gather(
            stop_after(HEAD),
            stop_after(b"\r\n"),
            stop_after(posting[:-5]),
            trickle(HEAD * 50),
            trickle(posting[posting.index(b"\r\n\r\n") :] and posting),
            say_nothing(),
            pause_between_requests(),
            send_body_slowly(),
        )


async def test_connections_of_an_address_are_bounded(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running(
        "serve", folder, postgres, valkey, max_connections_per_address="4", database_pool_size="12"
    ) as palaver:
        # Who says nothing gives way, the one that came first.
        wires = [await Wire.open(palaver) for _ in range(4)]
        await wires[1].send(HEAD + b"\r\n")
        assert (await wires[1].read()).status_code == 200
        newest = await Wire.open(palaver)
        await newest.send(HEAD + b"\r\n")
        assert (await newest.read()).status_code == 200
        assert await wires[0].read_to_end() == b""
        for wire in (wires[1], newest):
            await wire.send(HEAD + b"\r\n")
            assert (await wire.read()).status_code == 200

        async with connected(palaver) as client:
            person = await client.join()
            article = await person.post_article()
        path = f"/v1/articles/{article['id']}/comments"
        request = compose("POST", path, person.client.headers, {"body": "Waits."})
        async with holding_up(postgres, article) as holder:
            busy = [await Wire.open(palaver) for _ in range(4)]
            for wire in busy:
                await wire.send(request)
            await wait_until_held_up(holder, 4)
            # Who is being served does not.
            refused = await Wire.open(palaver)
            await expect_refusal(refused, 503, "too_many_connections")
            elsewhere = await Wire.open(palaver, source="127.0.0.2")
            await elsewhere.send(HEAD + b"\r\n")
            assert (await elsewhere.read()).status_code == 200
        assert [(await wire.read()).status_code for wire in busy] == [201] * 4


async def test_a_proxy_has_as_many_connections_as_it_wants(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running(
        "serve",
        folder,
        postgres,
        valkey,
        max_connections_per_address="2",
        trusted_proxies="127.0.0.1",
    ) as palaver:
        wires = [await Wire.open(palaver) for _ in range(6)]
        for wire in wires:
            await wire.send(HEAD + b"\r\n")
        assert [(await wire.read()).status_code for wire in wires] == [200] * 6


async def test_silent_connections_do_not_use_up_the_files(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running("serve", folder, postgres, valkey, open_files=256) as palaver:
        for number in range(300):
            await Wire.open(palaver, source=f"127.0.0.{number % 30 + 2}")
        async with connected(palaver) as client:
            for _ in range(3):
                expect(await client.get("/readyz"), 200)
                person = await client.join()
                await person.post_article()
                expect(await client.get("/v1/articles"), 200)


async def test_too_few_files_are_refused_at_the_start(
    folder: Path, postgres: Engine, valkey: Engine
) -> None:
    with (
        pytest.raises(AssertionError, match=r"may open 96 files.*ulimit -n"),
        running("serve", folder, postgres, valkey, open_files=96),
    ):
        pass


async def test_half_requests_do_not_keep_a_process_from_ending(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    posting = compose("POST", "/v1/sessions", {}, {"login": "nobody", "password": "x" * 500})
    with running("serve", folder, postgres, valkey) as palaver:
        wires = [await Wire.open(palaver) for _ in range(4)]
        await wires[1].send(HEAD)
        await wires[2].send(posting[:-5])
        await wires[3].send(HEAD + b"\r\n")
        assert (await wires[3].read()).status_code == 200
        await wires[3].send(HEAD)
        palaver.terminate()
        for wire in (wires[0], wires[1], wires[3]):
            assert await wire.read_to_end() == b""
        await expect_refusal(wires[2], 408, "request_timeout")
        try:
            code = await asyncio.to_thread(palaver.process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("it does not end") from None
        assert code in (0, -signal.SIGTERM)
