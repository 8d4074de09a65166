"""Reads that begin after a write was acknowledged, on two processes of the service."""

from benchmarks.bench import Bench
from benchmarks.load import run_json
from benchmarks.rows.row import Finding
from benchmarks.seed import FRESH_ARTICLES
from benchmarks.servers import serving_palaver


def measure_freshness(bench: Bench) -> Finding:
    """Write through either process, read through both, and count what is older than it must be."""
    articles = [bench.article_id(f"bench-fresh-{number}") for number in range(FRESH_ARTICLES)]
    wanted, seconds = bench.timing.fresh_reads, bench.timing.fresh
    core = bench.pinning.load
    with serving_palaver(bench.engines, core, name="second-service") as second:
        task = {
            "ports": [bench.service.port, second.port],
            "articles": articles,
            "tokens": bench.log_in(),
            "reads": wanted,
            "seconds": seconds,
        }
        found = run_json("benchmarks.probes.fresh", task, seconds=seconds, core=core)
    reads = found["reads"]
    return Finding(
        value=found["stale"],
        note=f"Of {reads:,} reads on two processes, while {found['writes']:,} writes to "
        f"{FRESH_ARTICLES} articles were acknowledged by either. The version, the entity tag and "
        "the newest comment of each response were compared with the newest write that was "
        "acknowledged before it was asked for.",
        samples=found,
        unproven=None if reads >= 100_000 else f"only {reads:,} reads",
    )
