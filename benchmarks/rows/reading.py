"""Pages that somebody has read before, over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.bench import Bench, check_same_bytes, describe_load
from benchmarks.load import Load, Request
from benchmarks.measure import Comparison, alternate
from benchmarks.responses import BROWSER, PLAIN, count_nodes, get, serving_limit
from benchmarks.rows.row import Finding
from benchmarks.servers import Server, serving_module

HOT_SLUG = "bench-10000"
_WHOLE = "?limit=200&children=100&depth=10"
# The tutorial server sends some tens of whole trees a second. Two connections keep it busy, and
# few of its responses are under way, and so not counted, when the time is over.
_TUTORIAL_CONNECTIONS = 2
_WHOLE_SECONDS = 4.0
_CONNECTIONS = 32
_WARM_UP = 2.0


@dataclass(frozen=True, slots=True)
class _Side:
    server: Server
    request: Request
    connections: int = _CONNECTIONS


@dataclass(frozen=True, slots=True)
class _Beside:
    """The service beside another server."""

    rates: Comparison
    loads: list[tuple[str, Load]]

    @property
    def size(self) -> str:
        return f"{self.loads[0][1].bytes_per_response / 1000:,.1f} kB"

    @property
    def samples(self) -> list[dict[str, object]]:
        return [describe_load(load, name) for name, load in self.loads]

    @property
    def unproven(self) -> str | None:
        """Say so where the other server could have served more requests than it got."""
        if any(load.is_bounded_by_load for _, load in self.loads):
            return "the load generator was the bottleneck: install wrk"
        return None

    def describe(self, other: str) -> str:
        ours, theirs = self.rates.medians
        least, most = self.rates.range
        costs = [median(load.microseconds for _, load in self.loads[side::2]) for side in range(2)]
        return (
            f"{ours:,.0f}/s over the {other} server's {theirs:,.0f}/s "
            f"(of neighbouring segments {least:,.2f} to {most:,.2f}); "
            f"{costs[0]:,.0f} over {costs[1]:,.0f} µs of processor time a response"
        )


def measure_hot_page(bench: Bench) -> Finding:
    """Ask for one page again and again, compressed as browsers get it, and as it is."""
    target = f"/v1/articles/{bench.article_id(HOT_SLUG)}/comments"
    nodes = count_nodes(get(bench.service, target, PLAIN).content["data"])
    packed = _compare_with_limit(bench, target, BROWSER)
    plain = _compare_with_limit(bench, target, PLAIN)
    return Finding(
        value=packed.rates.ratio,
        note=f"{nodes} nodes in {packed.size}, compressed as browsers ask for it: "
        f"{packed.describe('limit')}. Uncompressed, {plain.size}: {plain.rates.ratio:.2f}, "
        f"{plain.describe('limit')}.",
        samples={"compressed": packed.samples, "uncompressed": plain.samples},
        unproven=packed.unproven,
    )


def measure_unchanged(bench: Bench) -> Finding:
    """Ask for one page that has not changed since."""
    target = f"/v1/articles/{bench.article_id(HOT_SLUG)}/comments"
    tag = get(bench.service, target, BROWSER).header("etag")
    found = _compare_with_limit(bench, target, BROWSER | {"If-None-Match": tag}, expected=304)
    return Finding(
        value=found.rates.ratio,
        note=f"{found.describe('limit')}.",
        samples={"loads": found.samples},
        unproven=found.unproven,
    )


def measure_whole_tree(bench: Bench) -> Finding:
    """Ask for all comments of a thread of 1,000, against the tutorial's way on the same rows."""
    slug = "bench-whole"
    target = f"/v1/articles/{bench.article_id(slug)}/comments{_WHOLE}"
    other = f"/articles/{slug}/comments"
    database = bench.engines.database_url
    with serving_module("tutorial_app", {}, bench.pinning.server, database) as tutorial:
        theirs = get(tutorial, other, BROWSER)
        shown = (
            count_nodes(get(bench.service, target, PLAIN).content["data"]),
            count_nodes(theirs.content),
        )
        if shown != (1000, 1000):
            raise RuntimeError(f"the trees show {shown} nodes instead of 1,000 each")
        found = _compare(
            bench,
            _Side(bench.service, Request(target, BROWSER)),
            _Side(tutorial, Request(other, BROWSER), _TUTORIAL_CONNECTIONS),
            seconds=max(_WHOLE_SECONDS, bench.timing.reads),
        )
    plain = bench.load(bench.service, [Request(target, PLAIN)], seconds=bench.timing.reads)
    return Finding(
        value=found.rates.ratio,
        note=f"{found.describe('tutorial')}. Ours is {found.size}, compressed once; the "
        f"tutorial's is {len(theirs.body) / 1000:,.0f} kB, which it does not compress. "
        f"Uncompressed, ours gives {plain.rate:,.0f}/s.",
        samples={"loads": found.samples, "uncompressed": describe_load(plain, "service")},
    )


def _compare_with_limit(
    bench: Bench, target: str, headers: Mapping[str, str], *, expected: int = 200
) -> _Beside:
    """Run the service beside the limit server. Raises RuntimeError unless the bytes were equal."""
    request = Request(target, headers)
    # Twice: the first response of a page goes another way than those that are measured.
    get(bench.service, target, headers, expected=expected)
    response = get(bench.service, target, headers, expected=expected)
    with serving_limit([response], bench.pinning.server) as limit:
        both = _Side(bench.service, request), _Side(limit, request)
        found = _compare(bench, *both, seconds=bench.timing.reads)
    check_same_bytes(found.loads[0][1], found.loads[1][1])
    return found


def _compare(bench: Bench, ours: _Side, other: _Side, *, seconds: float) -> _Beside:
    """Load both in turns, after a moment that does not count."""
    loads: list[tuple[str, Load]] = []

    def ask(side: _Side, seconds: float) -> Load:
        return bench.load(
            side.server, [side.request], seconds=seconds, connections=side.connections
        )

    def measure(side: _Side) -> float:
        load = ask(side, seconds)
        loads.append((side.server.name, load))
        return load.rate

    for side in (ours, other):
        ask(side, _WARM_UP)
    return _Beside(alternate(lambda: measure(ours), lambda: measure(other)), loads)
