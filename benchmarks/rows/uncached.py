"""Pages that nobody has read before, inside one process: what a page costs without any cache."""

from statistics import median
from typing import Any

from benchmarks.bench import Bench
from benchmarks.load import run_json
from benchmarks.measure import Comparison
from benchmarks.rows.row import Finding
from benchmarks.seed import slug_of

SMALL = 500
# What the targets speak of.
_LARGE = 1_000_000


def measure_first_page(bench: Bench) -> Finding:
    """Build the first page of the largest article and of a small one."""
    found = _probe(bench, "first", bench.timing.pages)
    times = _compare(found)
    large, small = times.medians
    return Finding(
        value=times.ratio,
        note=f"{large:.2f} ms for {found['nodes'][0]} nodes of {bench.largest:,} comments, "
        f"{small:.2f} ms for {found['nodes'][1]} of {SMALL}.",
        samples=found,
        unproven=_unproven(bench),
    )


def measure_deeper_pages(bench: Bench) -> Finding:
    """Build pages in the middle of every order, and under nodes; the worst kind counts."""
    found = _probe(bench, "deeper", bench.timing.deeper_pages)
    kinds = {name: _compare(kind) for name, kind in found["kinds"].items()}
    worst = max(kinds, key=lambda name: kinds[name].ratio)
    large, small = kinds[worst].medians
    every = ", ".join(f"{name} {times.ratio:.2f}" for name, times in kinds.items())
    return Finding(
        value=kinds[worst].ratio,
        note=f"The worst of {len(kinds)} kinds, {worst}: {large:.2f} over {small:.2f} ms; the "
        f"median kind {median(times.ratio for times in kinds.values()):.2f}. Pages of both "
        f"articles are paired by their number of nodes. All: {every}.",
        samples=found,
        unproven=_unproven(bench),
    )


def measure_over_driver(bench: Bench) -> Finding:
    """Build the first page, against the bare driver with the same statements."""
    found = _probe(bench, "driver", bench.timing.pages)
    times = _compare(found)
    ours, bare = times.medians
    return Finding(
        value=times.ratio,
        note=f"{found['nodes']} nodes of {bench.largest:,} comments: {ours:.2f} ms with everything "
        f"up to the response's bytes, {bare:.2f} ms for asyncpg to fetch the rows of the same "
        f"{'statement' if found['statements'] == 1 else 'statements'}.",
        samples=found,
        unproven=_unproven(bench),
    )


def _probe(bench: Bench, kind: str, seconds: float) -> dict[str, Any]:
    task = {
        "database_url": bench.engines.database_url,
        "redis_url": bench.engines.redis_url,
        "large": slug_of(bench.largest),
        "small": slug_of(SMALL),
        "kind": kind,
        "seconds": seconds,
    }
    # Beside its time it looks for pages to compare, thousands of them for "deeper".
    return run_json(
        "benchmarks.probes.uncached", task, seconds=seconds + 60, core=bench.pinning.server
    )


def _unproven(bench: Bench) -> str | None:
    if bench.largest >= _LARGE:
        return None
    return f"on {bench.largest:,} comments only"


def _compare(found: dict[str, Any]) -> Comparison:
    ours, other = found["times"]
    return Comparison(tuple(ours), tuple(other))
