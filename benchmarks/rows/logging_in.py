"""Readers beside people who log in: hashing passwords must not take the processor from them."""

from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks.bench import Bench, describe_load
from benchmarks.load import Load, Request
from benchmarks.measure import ROUNDS
from benchmarks.responses import BROWSER
from benchmarks.rows.reading import HOT_SLUG
from benchmarks.rows.row import Finding

# Log-ins under way at once, and reads a second.
_LOG_INS = 8
_RATE = 500.0
_CONNECTIONS = 16
# Milliseconds: the second condition of the target.
_MEDIAN = 2.0


def measure_log_ins(bench: Bench) -> Finding:
    """Read a hot page at a fixed rate while others log in as fast as they can."""
    page = Request(f"/v1/articles/{bench.article_id(HOT_SLUG)}/comments", BROWSER)
    log_ins = bench.make_log_ins(_LOG_INS)
    seconds = bench.timing.writes
    reading: list[Load] = []
    logging_in: list[Load] = []
    alone: list[Load] = []
    for _ in range(ROUNDS):
        bench.settle()
        with ThreadPoolExecutor(1) as beside:
            other = beside.submit(
                bench.load, bench.service, log_ins, seconds=seconds, connections=_LOG_INS
            )
            reading.append(
                bench.load(
                    bench.service, [page], seconds=seconds, connections=_CONNECTIONS, rate=_RATE
                )
            )
            logging_in.append(other.result())
        alone.append(bench.load(bench.service, log_ins, seconds=seconds, connections=_LOG_INS))
    reads = [load.latencies["read"] for load in reading]
    middle = median(one.p50 for one in reads)
    rates = [median(load.rate for load in loads) for loads in (logging_in, alone)]
    return Finding(
        value=median(one.p99 for one in reads),
        note=f"{_RATE:,.0f} reads a second beside {_LOG_INS} log-ins at once: p50 {middle:.1f} ms "
        f"(at most {_MEDIAN:.0f} are wanted), p99 of each segment "
        f"{', '.join(f'{one.p99:.0f}' for one in reads)} ms. {rates[0]:.0f} log-ins a second, "
        f"{rates[1]:.0f} without readers.",
        samples={
            "loads": [
                describe_load(load, name)
                for name, loads in (
                    ("reads", reading),
                    ("log-ins", logging_in),
                    ("log-ins alone", alone),
                )
                for load in loads
            ]
        },
        is_refuted=middle > _MEDIAN,
    )
