"""Readers of an article that is written to all the time, on two processes of the service."""

from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench, describe_load
from benchmarks.load import Load, Request
from benchmarks.measure import ROUNDS
from benchmarks.responses import BROWSER
from benchmarks.rows.row import Finding
from benchmarks.servers import serving_palaver

_SLUG = "bench-hot"
# Writes a second, and reads a second from each process.
_WRITES = 75.0
_READS = 100.0
_CONNECTIONS = 8
# The share of the wanted writes that proves something.
_ENOUGH = 0.9
# Milliseconds: the second condition of the target.
_SLOWEST = 500.0


def measure_busy_article(bench: Bench) -> Finding:
    """Reply at a fixed rate, and read the article's first page on both processes meanwhile."""
    page = Request(f"/v1/articles/{bench.article_id(_SLUG)}/comments", BROWSER)
    replies = bench.make_replies(bench.find_places(_SLUG, 200))
    seconds = bench.timing.writes
    reading: list[Load] = []
    writing: list[Load] = []
    with serving_palaver(bench.engines, bench.pinning.load, name="second-service") as second:
        for _ in range(ROUNDS):
            bench.settle()
            with ThreadPoolExecutor(2) as beside:
                writes = beside.submit(
                    bench.load,
                    bench.service,
                    replies,
                    seconds=seconds,
                    connections=_CONNECTIONS,
                    rate=_WRITES,
                )
                reads = beside.submit(
                    bench.load,
                    second,
                    [page],
                    seconds=seconds,
                    connections=_CONNECTIONS,
                    rate=_READS,
                )
                reading.append(
                    bench.load(
                        bench.service,
                        [page],
                        seconds=seconds,
                        connections=_CONNECTIONS,
                        rate=_READS,
                    )
                )
                reading.append(reads.result())
                writing.append(writes.result())
    found = [load.latencies["read"] for load in reading]
    written = sum(load.rate for load in writing) / ROUNDS
    slowest = max(one.max for one in found)
    return Finding(
        value=max(one.p99 for one in found),
        note=f"{sum(load.rate for load in reading) / ROUNDS:,.0f} reads a second on two processes, "
        f"beside "
        f"{written:.0f} replies a second: p99 of each segment "
        f"{', '.join(f'{one.p99:.0f}' for one in found)} ms, the slowest {slowest:.0f} ms "
        f"(at most {_SLOWEST:.0f} are wanted).",
        samples={
            "loads": [
                describe_load(load, name)
                for name, loads in (("reads", reading), ("replies", writing))
                for load in loads
            ]
        },
        is_refuted=slowest > _SLOWEST,
        unproven=None if written >= _ENOUGH * _WRITES else f"only {written:.0f} replies a second",
    )
