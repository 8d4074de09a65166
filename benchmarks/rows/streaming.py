"""Event streams: what many that are idle hold, and how soon an event reaches many."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from benchmarks.bench import Bench
from benchmarks.load import run_json
from benchmarks.rows.row import Finding
from benchmarks.servers import Server, serving_palaver

_IDLE = 5000
_WATCHERS = 1000
_SLUG = "bench-fresh-0"
# Open files that a process needs beside its streams.
_OTHER_FILES = 300
# Articles that the idle streams are spread over.
_ARTICLES = 1000
# Replies a second while there are watchers, and seconds that opening a thousand streams may take.
_RATE = 4.0
_OPENING = 60.0
_MEBIBYTE = 1024**2
_PERCENTILE = 0.99


def measure_idle_streams(bench: Bench) -> Finding:
    """Open streams of a thousand articles, hold them, and look at the process."""

    async def find(connection: asyncpg.Connection) -> list[str]:
        rows = await connection.fetch(
            "SELECT id::text FROM articles ORDER BY id LIMIT $1", _ARTICLES
        )
        return [row["id"] for row in rows]

    with _serving_streams(bench) as (service, possible):
        streams = min(_IDLE, possible)
        articles = bench.engines.ask(find)
        found = _probe(bench, service, articles, streams=streams, seconds=bench.timing.mix)
    held, before = found["held_bytes"] / _MEBIBYTE, found["before_bytes"] / _MEBIBYTE
    each = (found["held_bytes"] - found["before_bytes"]) / 1024 / streams
    lost = found["lost"]
    return Finding(
        value=held,
        note=f"{streams:,} streams of {len(articles):,} articles on one process, held for "
        f"{bench.timing.mix:.0f} s: {before:.0f} MiB before, {held:.0f} with them, {each:.0f} KiB "
        f"each; {found['server_share']:.0%} of a core for comments and looks at the database.",
        samples=found,
        is_refuted=lost > 0,
        unproven=None
        if streams == _IDLE
        else f"only {streams:,} streams, because of the limit of open files",
    )


def measure_watchers(bench: Bench) -> Finding:
    """Reply to an article at a fixed rate, and wait each time until all watchers know."""
    with _serving_streams(bench) as (service, possible):
        streams = min(_WATCHERS, possible)
        bench.settle()
        replies = int(bench.timing.writes * 2 * _RATE)
        found = _probe(bench, service, [bench.article_id(_SLUG)], streams=streams, replies=replies)
    to_all, to_each = found["to_all"], found["to_each"]
    p99 = to_all[round((len(to_all) - 1) * _PERCENTILE)]
    return Finding(
        value=p99,
        note=f"{found['events']} replies, {_RATE:.0f} a second, and {streams:,} watchers of the "
        f"article on one process. From before the reply was sent until the last watcher had its "
        f"event: median {to_all[len(to_all) // 2]:.0f} ms, longest {to_all[-1]:.0f} ms. To each "
        f"watcher: median {to_each['p50']:.0f} ms, p99 {to_each['p99']:.0f} ms. "
        f"{found['server_share']:.0%} of a core.",
        samples=found,
        is_refuted=set(found["reached"]) != {streams},
        unproven=None if streams == _WATCHERS else f"only {streams:,} watchers",
    )


@contextmanager
def _serving_streams(bench: Bench) -> Iterator[tuple[Server, int]]:
    """Run a process that may have many streams; yield it and how many it can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settings = {
        "PALAVER_MAX_CONNECTIONS": str(3 * _IDLE),
        "PALAVER_MAX_CONNECTIONS_PER_ADDRESS": str(3 * _IDLE),
        "PALAVER_MAX_STREAMS": str(_IDLE),
        "PALAVER_MAX_STREAMS_PER_ADDRESS": str(_IDLE),
    }
    try:
        with serving_palaver(
            bench.engines, bench.pinning.server, name="streams-service", **settings
        ) as service:
            # Half of the connections may be streams.
            yield service, (hard - _OTHER_FILES) // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _probe(
    bench: Bench,
    service: Server,
    articles: list[str],
    *,
    streams: int,
    seconds: float = 0.0,
    replies: int = 0,
) -> dict[str, Any]:
    task = {
        "port": service.port,
        "pid": service.process.pid,
        "articles": articles,
        "streams": streams,
        "seconds": seconds,
        "replies": replies,
        "rate": _RATE,
        "tokens": bench.log_in() if replies else [],
    }
    limit = _OPENING + seconds + replies
    return run_json("benchmarks.probes.streams", task, seconds=limit, core=bench.pinning.load)
