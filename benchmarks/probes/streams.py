"""Opens event streams, holds them, and tells when what is written reaches them.

Input: the port and the process of a server, the articles, how many streams to open, for how many
seconds to hold them, and the replies to write meanwhile: how many, how many a second, by whom.
Output: what the process held before and with the streams, and the latencies.
"""

import asyncio
import json
import sys
import time
from functools import partial
from typing import Any

import psutil
import uvloop

from benchmarks.probes.fresh import HOST, Connection

# Streams that are opened at the same time.
_AT_ONCE = 50
# Seconds that an event may take to reach all.
_PATIENCE = 10.0


class Watcher(asyncio.Protocol):
    """One open stream."""

    def __init__(self, request: bytes, arrivals: dict[int, list[float]]) -> None:
        self._request = request
        self._arrivals = arrivals
        self._rest = b""
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_lost = False

    def connection_made(self, transport: Any) -> None:
        """Ask for the stream."""
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when which version arrived."""
        now = time.perf_counter()
        if not self.is_open.done():
            self._rest += data
            if b"\r\n\r\n" not in self._rest or b"id: " not in self._rest:
                return
            if not self._rest.startswith(b"HTTP/1.1 200 "):
                self.is_open.set_exception(RuntimeError(f"a stream got {self._rest[:200]!r}"))
                return
            self.is_open.set_result(None)
            data, self._rest = b"", b""
        data = self._rest + data
        *messages, self._rest = data.split(b"\n\n")
        for message in messages:
            if b"event: change" in message:
                version = int(message.partition(b"\nid: ")[2].partition(b"\n")[0])
                self._arrivals.setdefault(version, []).append(now)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Note that the stream has ended."""
        self.is_lost = True


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """Return what was found."""
    process = psutil.Process(task["pid"])
    before = process.memory_info().rss
    arrivals: dict[int, list[float]] = {}
    watchers = await _open_all(task, arrivals)
    opened = process.memory_info().rss
    used = sum(process.cpu_times()[:2])
    began = time.perf_counter()
    written: dict[int, float] = {}
    if task["replies"]:
        await _write(task, arrivals, written)
    await asyncio.sleep(max(0.0, task["seconds"] - (time.perf_counter() - began)))
    seconds = time.perf_counter() - began
    spans = [
        1000 * (time_ - began)
        for version, began in written.items()
        for time_ in arrivals.get(version, ())
    ]
    return {
        "streams": len(watchers),
        "lost": sum(watcher.is_lost for watcher in watchers),
        "before_bytes": before,
        "opened_bytes": opened,
        "held_bytes": process.memory_info().rss,
        "server_share": (sum(process.cpu_times()[:2]) - used) / seconds,
        "events": len(written),
        "reached": [len(arrivals.get(version, ())) for version in written],
        "to_all": sorted(
            1000 * (max(arrivals[version]) - began) for version, began in written.items()
        ),
        "to_each": _summarize(sorted(spans)),
    }


async def _open_all(task: dict[str, Any], arrivals: dict[int, list[float]]) -> list[Watcher]:
    articles, watchers = task["articles"], []
    loop = asyncio.get_running_loop()
    for start in range(0, task["streams"], _AT_ONCE):
        batch = []
        for number in range(start, min(start + _AT_ONCE, task["streams"])):
            article = articles[number % len(articles)]
            request = f"GET /v1/articles/{article}/events HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
            make = partial(Watcher, request.encode(), arrivals)
            _, watcher = await loop.create_connection(make, HOST, task["port"])
            batch.append(watcher)
        await asyncio.gather(*(watcher.is_open for watcher in batch))
        watchers += batch
    return watchers


async def _write(
    task: dict[str, Any], arrivals: dict[int, list[float]], written: dict[int, float]
) -> None:
    """Write replies at a fixed rate, and wait until each has reached all."""
    connection = await Connection.open(task["port"])
    first = time.perf_counter()
    for number in range(task["replies"]):
        await asyncio.sleep(max(0.0, first + number / task["rate"] - time.perf_counter()))
        body = json.dumps({"body": f"No. {number}"}).encode()
        began = time.perf_counter()
        received, content = await connection.ask(
            f"POST /v1/articles/{task['articles'][0]}/comments HTTP/1.1\r\n"
            f"Authorization: Bearer {task['tokens'][number % len(task['tokens'])]}\r\n"
            "Content-Type: application/json",
            body,
        )
        if b" 201 " not in received.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"a write got {received[:60]!r}")
        version = json.loads(content)["version"]
        written[version] = began
        while len(arrivals.get(version, ())) < task["streams"]:
            if time.perf_counter() > began + _PATIENCE:
                raise RuntimeError(
                    f"version {version} reached {len(arrivals.get(version, ()))} streams only"
                )
            await asyncio.sleep(0.002)


def _summarize(spans: list[float]) -> dict[str, float]:
    """Return percentiles of sorted milliseconds."""
    if not spans:
        return {}
    last = len(spans) - 1
    return {
        name: spans[round(last * share)]
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(uvloop.run(run(given)), sys.stdout)
