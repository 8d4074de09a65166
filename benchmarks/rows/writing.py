"""Comments that people write, over HTTP, against the bare driver with the same statements."""

from collections.abc import Sequence
from statistics import median

from benchmarks.bench import REPLY, Bench, Place, describe_load
from benchmarks.load import Load, run_json
from benchmarks.measure import ROUNDS, Comparison
from benchmarks.rows.row import Finding

# Requests under way at once, and the writing connections of the service, which the driver has too.
_CONNECTIONS = 16
_WORKERS = 10
_RATE = "create rate"


def measure_rate(bench: Bench) -> Finding:
    """Reply in 1,000 articles as fast as it goes."""
    places = bench.find_places("bench-small-%", 3)
    loads, bare, statements = _alternate(bench, places)
    rates = Comparison(tuple(load.rate for load in loads), tuple(bare))
    ours, driver = rates.medians
    cost = median(load.microseconds for load in loads) / 1000
    bench.found[_RATE] = ours
    return Finding(
        value=rates.ratio,
        note=f"{ours:,.0f}/s over HTTP, {driver:,.0f}/s by asyncpg alone on {_WORKERS} connections "
        f"with the same {statements} statements, of which the transaction's begin and end are not "
        f"counted. A reply takes {cost:.1f} ms of the service's processor time. The worker runs "
        "beside both.",
        samples={"loads": [describe_load(load, "service") for load in loads], "driver": bare},
    )


def measure_latency(bench: Bench) -> Finding:
    """Reply in 1,000 articles at half the rate that was reached, whatever the server does."""
    if _RATE not in bench.found:
        measure_rate(bench)
    rate = bench.found[_RATE] / 2
    loads = []
    for _ in range(ROUNDS):
        bench.settle()
        requests = bench.make_replies(bench.find_places("bench-small-%", 3))
        seconds = bench.timing.writes
        loads.append(
            bench.load(
                bench.service, requests, seconds=seconds, connections=2 * _CONNECTIONS, rate=rate
            )
        )
    write = [load.latencies["write"] for load in loads]
    return Finding(
        value=median(one.p99 for one in write),
        note=f"At {rate:,.0f}/s; median {median(one.p50 for one in write):.1f} ms, longest "
        f"{max(one.max for one in write):.0f} ms. Counted from the moment a request was due.",
        samples={"loads": [describe_load(load, "service") for load in loads]},
    )


def measure_one_article(bench: Bench) -> Finding:
    """Reply in one article as fast as it goes."""
    loads, bare, _ = _alternate(bench, bench.find_places("bench-hot", 200))
    rate = median(load.rate for load in loads)
    return Finding(
        value=rate,
        note=f"p99 {median(load.latencies['write'].p99 for load in loads):.0f} ms with "
        f"{_CONNECTIONS} at once. asyncpg alone with the same statements: {median(bare):,.0f}/s.",
        samples={"loads": [describe_load(load, "service") for load in loads], "driver": bare},
    )


def _alternate(bench: Bench, places: Sequence[Place]) -> tuple[list[Load], list[float], int]:
    """Run the service and the bare driver in turns; return what each reached."""
    loads, bare, statements = [], [], 0
    seconds = bench.timing.writes
    for _ in range(ROUNDS):
        bench.settle()
        requests = bench.make_replies(places)
        loads.append(bench.load(bench.service, requests, seconds=seconds, connections=_CONNECTIONS))
        bench.settle()
        task = {
            "database_url": bench.engines.database_url,
            "redis_url": bench.engines.redis_url,
            "writers": bench.log_in(),
            "noted": bench.find_places("bench-recorded", 1)[0],
            "body": REPLY,
            "places": places,
            "workers": _WORKERS,
            "seconds": seconds,
        }
        found = run_json(
            "benchmarks.probes.driver", task, seconds=seconds, core=bench.pinning.server
        )
        bare.append(found["rate"])
        # BEGIN and COMMIT are a round trip each, too, and on both sides.
        statements = len([text for text in found["statements"] if text != "COMMIT"])
    return loads, bare, statements
