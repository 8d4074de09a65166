"""A forum's ordinary day: many articles, a few of them popular, mostly readers; and its memory."""

import json
from dataclasses import replace
from statistics import median

from benchmarks.bench import Bench, describe_load
from benchmarks.load import Load, Request
from benchmarks.measure import alternate
from benchmarks.responses import BROWSER, CapturedResponse, calling, serving_limit
from benchmarks.rows.row import Finding

_WRITES = 0.05
_CONNECTIONS = 32
# Comments of each article that are replied to.
_PLACES = 3
# What the second half of a load may add to the first half's memory and still be called flat.
_FLAT = 1.05
_MEBIBYTE = 1024**2


def measure_mix(bench: Bench) -> Finding:
    """Read and write in 1,000 articles, against the limit server with the same responses."""
    loads: list[tuple[str, Load]] = []

    def ask_service() -> float:
        bench.settle()
        load = bench.load(
            bench.service,
            make_mix(bench),
            seconds=bench.timing.mix,
            connections=_CONNECTIONS,
        )
        loads.append(("service", load))
        return load.rate

    def ask_limit() -> float:
        bench.settle()
        requests = make_mix(bench)
        # Threads have grown: the limit server sends what the service would send now.
        with serving_limit(_capture(bench, requests), bench.pinning.server) as limit:
            load = bench.load(limit, requests, seconds=bench.timing.mix, connections=_CONNECTIONS)
        loads.append(("limit", load))
        return load.rate

    rates = alternate(ask_service, ask_limit)
    ours, limit = rates.medians
    latencies = [load.latencies for name, load in loads if name == "service"]
    costs = [median(load.microseconds for _, load in loads[side::2]) for side in range(2)]
    bounded = any(load.is_bounded_by_load for _, load in loads)
    return Finding(
        value=rates.ratio,
        note=f"{ours:,.0f}/s over {limit:,.0f}/s; {costs[0]:,.0f} over {costs[1]:,.0f} µs of "
        "processor time a response; reads p99 "
        f"{median(one['read'].p99 for one in latencies):.1f} ms, writes p99 "
        f"{median(one['write'].p99 for one in latencies):.1f} ms with {_CONNECTIONS} at once. "
        "The worker runs beside.",
        samples={"loads": [describe_load(load, name) for name, load in loads]},
        unproven="the load generator was the bottleneck" if bounded else None,
    )


def measure_memory(bench: Bench) -> Finding:
    """Look at the service's process after everything else, and after more of the same."""
    before = bench.service.resident_bytes / _MEBIBYTE
    after = []
    for _ in range(2):
        bench.load(
            bench.service,
            make_mix(bench),
            seconds=2 * bench.timing.mix,
            connections=_CONNECTIONS,
        )
        after.append(bench.service.resident_bytes / _MEBIBYTE)
    growth = after[1] / after[0]
    return Finding(
        value=max(before, *after),
        note=f"{before:.0f} MiB before, {after[0]:.0f} after half of {4 * bench.timing.mix:.0f} s "
        f"of the mix, {after[1]:.0f} after all ({growth - 1:+.1%}: "
        f"{'flat' if growth <= _FLAT else 'not flat'}).",
        samples={"before": before, "after": after, "by_row": dict(bench.memory)},
        is_refuted=growth > _FLAT,
    )


def make_mix(bench: Bench) -> list[Request]:
    """Return reads and replies for each small article, the popularity of which is 1 over rank."""
    replies = bench.make_replies(bench.find_places("bench-small-%", _PLACES))
    by_target: dict[str, list[Request]] = {}
    for reply in replies:
        by_target.setdefault(reply.target, []).append(reply)
    requests = []
    for rank, (target, writes) in enumerate(by_target.items(), start=1):
        requests.append(Request(target, BROWSER, weight=(1 - _WRITES) / rank))
        weight = _WRITES / rank / len(writes)
        requests += [replace(write, weight=weight) for write in writes]
    return requests


def _capture(bench: Bench, requests: list[Request]) -> list[CapturedResponse]:
    """Return the service's response to each read, and one write's response for every write."""
    with calling(bench.service) as caller:
        responses = {
            (one.method, one.target): caller.ask(
                one.method, one.target, expected=200, headers=one.headers
            )
            for one in requests
            if one.method == "GET"
        }
        write = next(one for one in requests if one.method == "POST")
        written = caller.ask(
            "POST",
            write.target,
            expected=201,
            headers=write.headers,
            content=json.loads(write.body or ""),
        )
    writes = {one.target for one in requests if one.method == "POST"}
    return [*responses.values(), *(replace(written, target=target) for target in writes)]
