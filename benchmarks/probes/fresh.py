"""Looks for reads that are older than a write which was acknowledged before they began.

On each article one writer posts through either of two processes, and readers read through both all
the time, also while it writes. Each read remembers the newest version that was acknowledged before
it was sent; a response that shows less in version, entity tag or newest comment is stale.

Input: the ports, articles, tokens, how many reads at most and for how many seconds. Output: counts.
"""

import asyncio
import itertools
import json
import re
import sys
import time
from typing import Any

import uvloop

HOST = "127.0.0.1"
# Reads of an article between two writes to it.
_READS_A_WRITE = 20
_READERS = 4
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_TAG = re.compile(rb'\r\netag: *W/"[0-9]+\.[0-9a-f]+\.([0-9]+)"', re.IGNORECASE)
# The newest comment alone: the smallest response that shows what was just written.
_QUERY = "?sort=new&limit=1&children=0&depth=1"


class Connection:
    """Asks one thing at a time, over one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to a server of this machine."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def ask(self, head: str, body: bytes = b"") -> tuple[bytes, bytes]:
        """Send a request; return the head and the body of the response."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self._writer.write(f"{head}\r\nHost: {HOST}\r\n{length}\r\n".encode() + body)
        received = await self._reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(received)
        return received, await self._reader.readexactly(int(found[1]) if found else 0)


class Thread:
    """One article, its writer and its readers."""

    def __init__(self, task: dict[str, Any], number: int) -> None:
        self._ports: list[int] = task["ports"]
        self._target = f"/v1/articles/{task['articles'][number]}/comments"
        self._token: str = task["tokens"][number % len(task["tokens"])]
        self._wanted: int = task["reads"] // len(task["articles"])
        self._ends: float = time.perf_counter() + task["seconds"]
        self.acknowledged = 0
        self.writes = 0
        self.reads = 0
        self.stale: list[dict[str, int]] = []
        # Set while writer, and readers, may go on.
        self._may_write = asyncio.Event()
        self._may_read = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Tell whether there were enough reads, or the time is over."""
        return self.reads >= self._wanted or time.perf_counter() > self._ends

    async def run(self) -> None:
        """Write and read until done."""
        await self._write(await Connection.open(self._ports[0]), 0)
        self._take_turns()
        readers = zip(range(_READERS), itertools.cycle(self._ports), strict=False)
        await asyncio.gather(self._keep_writing(), *(self._keep_reading(p) for _, p in readers))

    async def _keep_writing(self) -> None:
        connections = [await Connection.open(port) for port in self._ports]
        while not self.is_done:
            await self._write(connections[self.writes % len(connections)], self.writes)
            self._take_turns()
            await self._may_write.wait()

    def _take_turns(self) -> None:
        """Let nobody run ahead: as many reads again may happen while the next write does."""
        _allow(self._may_write, self.is_done or self.reads >= self.writes * _READS_A_WRITE)
        _allow(self._may_read, self.is_done or self.reads < (self.writes + 1) * _READS_A_WRITE)

    async def _write(self, connection: Connection, number: int) -> None:
        head = (
            f"POST {self._target} HTTP/1.1\r\nAuthorization: Bearer {self._token}\r\n"
            "Content-Type: application/json"
        )
        received, body = await connection.ask(head, json.dumps({"body": f"No. {number}"}).encode())
        if b" 201 " not in received.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"a write got {received[:60]!r}")
        self.acknowledged = max(self.acknowledged, json.loads(body)["version"])
        self.writes += 1

    async def _keep_reading(self, port: int) -> None:
        connection = await Connection.open(port)
        while not self.is_done:
            await self._may_read.wait()
            known = self.acknowledged
            received, body = await connection.ask(f"GET {self._target}{_QUERY} HTTP/1.1")
            tag = _TAG.search(received)
            if b" 200 " not in received.split(b"\r\n", 1)[0] or tag is None:
                raise RuntimeError(f"a read got {received[:60]!r}")
            tree = json.loads(body)
            self.reads += 1
            self._take_turns()
            shown = min(int(tag[1]), tree["version"], tree["data"][0]["version"])
            if shown < known:
                self.stale.append({"port": port, "acknowledged": known, "shown": shown})


def _allow(gate: asyncio.Event, is_open: bool) -> None:
    if is_open:
        gate.set()
    else:
        gate.clear()


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """Return how many writes and reads there were, and those that were stale."""
    threads = [Thread(task, number) for number in range(len(task["articles"]))]
    await asyncio.gather(*(thread.run() for thread in threads))
    stale = list(itertools.chain.from_iterable(thread.stale for thread in threads))
    return {
        "reads": sum(thread.reads for thread in threads),
        "writes": sum(thread.writes for thread in threads),
        "stale": len(stale),
        "examples": stale[:5],
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(uvloop.run(run(given)), sys.stdout)
