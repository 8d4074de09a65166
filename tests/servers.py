"""A server of another party, on this machine: it gets real requests, and responds as told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class OtherServer:
    """What it responds, byte for byte, and what it was sent."""

    port: int = 0
    # None: it never responds.
    response: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    # Called with each request.
    watch: Callable[[], None] = lambda: None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/check?x=1"

    def respond(self, body: str, *, status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.response = (head + body).encode()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (one.partition(":") for one in lines if one)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.watch()
            self.requests.append((line, headers, body))
            if self.response is None:
                await reader.read()
            else:
                writer.write(self.response)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running_server() -> AsyncIterator[OtherServer]:
    other = OtherServer()
    server = await asyncio.start_server(other.handle, "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    try:
        yield other
    finally:
        server.close()
