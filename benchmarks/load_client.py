"""The load generator of this package: HTTP/1.1 on raw sockets that stay open, in one process.

It reads what to do as JSON from standard input and writes what it found as JSON to standard output;
`load.run_load` is its user. Without a rate each connection asks again with every response.
With one, requests fall due at even intervals whatever the server does, and a latency counts from
the moment a request was due: a server that stalls is charged for all who would have come meanwhile.
"""

import asyncio
import gc
import json
import sys
import time
from array import array
from collections import Counter, defaultdict, deque
from itertools import cycle
from random import Random
from typing import Any, cast

import uvloop

HOST = "127.0.0.1"
# Choices drawn ahead, and then repeated.
_DRAWN = 200_000
# Seconds at the start that are not counted.
_WARM_UP = 0.5
# Seconds that responses under way get at the end; a wait of so long is no accident of timing.
_GRACE = 5.0
_STUCK_SECONDS = 1.0
_STUCK_STATUS = "stuck"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


class Tally:
    """Responses, and how fast they came."""

    def __init__(self) -> None:
        self.is_counting = False
        self.statuses: Counter[str] = Counter()
        self.errors = 0
        self.bytes = 0
        self.seconds: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    def count(self, tag: str, status: str, size: int, seconds: float) -> None:
        """Count a response."""
        if self.is_counting:
            self.statuses[status] += 1
            self.bytes += size
            self.seconds[tag].append(seconds)

    def summarize(self, lasted: float) -> dict[str, Any]:
        """Return everything as `load.Load` wants it."""
        return {
            "requests": sum(self.statuses.values()) - self.statuses[_STUCK_STATUS],
            "seconds": lasted,
            "lasted": lasted + _WARM_UP,
            "bytes": self.bytes,
            "errors": self.errors,
            "statuses": dict(self.statuses),
            "latencies": {tag: _summarize(values) for tag, values in self.seconds.items()},
        }


class Generator:
    """Sends prepared requests over its connections until it is stopped."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.tally = Tally()
        self.is_stopped = False
        self._port = spec["port"]
        requests = spec["requests"]
        prepared = [(_prepare(request), request["tag"]) for request in requests]
        weights = [request["weight"] for request in requests]
        drawn = Random(1).choices(range(len(prepared)), weights=weights, k=_DRAWN)
        self._next = cycle([prepared[index] for index in drawn])
        self._rate: float | None = spec["rate"]
        self._idle: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self.connections = [Connection(self) for _ in range(spec["connections"])]

    async def run(self, seconds: float) -> dict[str, Any]:
        """Send for so long, and return what was found."""
        await asyncio.gather(*(self.connect(connection) for connection in self.connections))
        pacing = asyncio.create_task(self._keep_pace()) if self._rate else None
        for connection in self.connections:
            self.go_on(connection)
        await asyncio.sleep(_WARM_UP)
        self.tally.is_counting, began = True, time.perf_counter()
        used = time.process_time()
        await asyncio.sleep(seconds)
        self._count_stuck()
        self.tally.is_counting, lasted = False, time.perf_counter() - began
        used = time.process_time() - used
        self.is_stopped = True
        if pacing is not None:
            pacing.cancel()
        for _ in range(int(_GRACE / 0.01)):
            if not any(c.waits_since for c in self.connections):
                break
            await asyncio.sleep(0.01)
        for connection in self.connections:
            connection.close()
        return {**self.tally.summarize(lasted), "cpu_seconds": used}

    def _count_stuck(self) -> None:
        """Count those who have waited for long by the end, and would not be counted at all."""
        now = time.perf_counter()
        waiting = [(c.waits_since, c.tag) for c in self.connections if c.waits_since is not None]
        for since, tag in (*waiting, *((due, next(self._next)[1]) for due in self._due)):
            if now - since > _STUCK_SECONDS:
                self.tally.count(tag, _STUCK_STATUS, 0, now - since)

    async def connect(self, connection: "Connection") -> None:
        """Open a connection."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, HOST, self._port)

    def go_on(self, connection: "Connection") -> None:
        """Give a connection its next request, or let it rest until one is due."""
        if self.is_stopped:
            return
        if self._rate is None:
            connection.send(*next(self._next), time.perf_counter())
        elif self._due:
            connection.send(*next(self._next), self._due.popleft())
        else:
            self._idle.append(connection)

    def fail(self, connection: "Connection") -> None:
        """Count a broken connection, and open it anew."""
        if self.is_stopped:
            return
        self.tally.errors += 1
        if connection in self._idle:
            self._idle.remove(connection)
        task = asyncio.get_running_loop().create_task(self._reconnect(connection))
        connection.opening = task

    async def _reconnect(self, connection: "Connection") -> None:
        await asyncio.sleep(0.05)
        try:
            await self.connect(connection)
        except OSError:
            self.fail(connection)
        else:
            self.go_on(connection)

    async def _keep_pace(self) -> None:
        rate = self._rate or 1.0
        began = time.perf_counter()
        number = 0
        while True:
            due = began + number / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            if self._idle:
                self._idle.popleft().send(*next(self._next), due)
            else:
                self._due.append(due)
            number += 1


class Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._missing = 0
        self._size = 0
        self._status = ""
        self.tag = ""
        # When the request under way was due.
        self.waits_since: float | None = None
        self.opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        # uvloop's transports are of no class that asyncio knows.
        self._transport = cast("asyncio.Transport", transport)
        self._head, self._missing = b"", 0

    def send(self, request: bytes, tag: str, began: float) -> None:
        """Send a request that was due at `began`."""
        if self._transport is None:
            return
        self.tag, self.waits_since, self._size = tag, began, 0
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read on; go on when the response is whole."""
        self._size += len(data)
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(_END_OF_HEAD)
            if end < 0:
                return
            self._status = self._head[9:12].decode()
            length = _read_length(self._head[:end], self._status)
            if length is None:
                self.close()
                return
            self._missing = end + len(_END_OF_HEAD) + length - len(self._head)
            self._head = b""
        if self._missing == 0 and self.waits_since is not None:
            seconds = time.perf_counter() - self.waits_since
            self.waits_since = None
            self._generator.tally.count(self.tag, self._status, self._size, seconds)
            self._generator.go_on(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Count it as an error unless the end has come."""
        self._transport = self.waits_since = None
        self._generator.fail(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


def _read_length(head: bytes, status: str) -> int | None:
    """Return the body's size, None where the response does not say it."""
    if status in ("204", "304"):
        return 0
    lowered = head.lower()
    at = lowered.find(_LENGTH)
    if at < 0:
        return None
    at += len(_LENGTH)
    end = lowered.find(b"\r\n", at)
    return int(lowered[at : end if end > 0 else len(lowered)])


def _prepare(request: dict[str, Any]) -> bytes:
    body = (request["body"] or "").encode()
    lines = [f"{request['method']} {request['target']} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in request["headers"].items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _summarize(values: "array[float]") -> dict[str, float]:
    ordered = sorted(values)

    def at(share: float) -> float:
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "count": len(ordered),
        "p50": at(0.5),
        "p90": at(0.9),
        "p99": at(0.99),
        "max": 1000 * ordered[-1],
    }


if __name__ == "__main__":
    task = json.load(sys.stdin)
    # A collection in the middle of a run would be measured as the server's pause.
    gc.disable()
    json.dump(uvloop.run(Generator(task).run(task["seconds"])), sys.stdout)
