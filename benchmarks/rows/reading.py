"""Pages that somebody has read before, over HTTP."""

from collections.abc import Mapping

from benchmarks.answers import BROWSER, PLAIN, Answer, count_nodes, get, serving_limit
from benchmarks.bench import Bench, check_same_bytes, describe_bytes, describe_load
from benchmarks.load import Load, Request
from benchmarks.measure import Comparison, alternate
from benchmarks.rows.row import Finding
from benchmarks.servers import Server, serving_module

HOT_SLUG = "bench-10000"
_WHOLE = "?limit=200&children=100&depth=10"
# Of a thread of 1,000; the tutorial server answers some tens a second.
_WHOLE_CONNECTIONS = 16
_WARM_UP = 1.0


def measure_hot_page(bench: Bench) -> Finding:
    """Ask for one page again and again, compressed as browsers get it and as it is."""
    target = f"/v1/articles/{bench.article_id(HOT_SLUG)}/comments"
    nodes = count_nodes(get(bench.service, target, PLAIN).content)
    packed, size, samples = _compare_with_limit(bench, target, BROWSER, expected=200)
    plain, plain_size, plain_samples = _compare_with_limit(bench, target, PLAIN, expected=200)
    return Finding(
        value=packed.ratio,
        note=f"{nodes} nodes in {size}, compressed as browsers ask for it: "
        f"{_describe(packed, 'limit')}. Uncompressed ({plain_size}): {plain.ratio:.2f}, "
        f"{_describe(plain, 'limit')}.",
        samples={"compressed": samples, "uncompressed": plain_samples},
    )


def measure_unchanged(bench: Bench) -> Finding:
    """Ask for one page that has not changed since."""
    target = f"/v1/articles/{bench.article_id(HOT_SLUG)}/comments"
    tag = get(bench.service, target, BROWSER).header("etag")
    headers = BROWSER | {"If-None-Match": tag}
    found, _, samples = _compare_with_limit(bench, target, headers, expected=304)
    return Finding(value=found.ratio, note=f"{_describe(found, 'limit')}.", samples=samples)


def measure_whole_tree(bench: Bench) -> Finding:
    """Ask for all comments of a thread of 1,000, against the tutorial's way on the same rows."""
    slug = "bench-whole"
    target = f"/v1/articles/{bench.article_id(slug)}/comments{_WHOLE}"
    tutorial_target = f"/articles/{slug}/comments"
    ours = get(bench.service, target, PLAIN).content
    packed = get(bench.service, target, BROWSER)
    settings = [bench.engines.database_url]
    with serving_module("tutorial_app", {}, bench.pinning.server, *settings) as tutorial:
        other = get(tutorial, tutorial_target, BROWSER)
        shown = count_nodes(ours), _count_tutorial_nodes(other)
        if shown != (1000, 1000):
            raise RuntimeError(f"the trees show {shown} nodes in place of 1,000 each")
        loads: list[tuple[str, Load]] = []
        plain_rate = 0.0

        def ask(server: Server, target: str, headers: Mapping[str, str]) -> float:
            load = bench.load(
                server,
                [Request(target, headers)],
                seconds=bench.timing.reads,
                connections=_WHOLE_CONNECTIONS,
            )
            loads.append((server.name, load))
            return load.rate

        found = alternate(
            lambda: ask(bench.service, target, BROWSER),
            lambda: ask(tutorial, tutorial_target, BROWSER),
        )
        plain_rate = ask(bench.service, target, PLAIN)
    return Finding(
        value=found.ratio,
        note=f"{_describe(found, 'tutorial')}. Ours is {describe_bytes(packed)}, compressed once; "
        f"the tutorial's {describe_bytes(other)}, not compressed. "
        f"Uncompressed, ours gives {plain_rate:,.0f}/s.",
        samples={"loads": [describe_load(load, name) for name, load in loads]},
    )


def _compare_with_limit(
    bench: Bench, target: str, headers: Mapping[str, str], *, expected: int
) -> tuple[Comparison, str, dict[str, object]]:
    """Return the rates of the service and of the limit server for the same bytes.

    Raises RuntimeError when they were not the same.
    """
    request = Request(target, headers)
    # Twice: the first answer of a page goes another way than the ones that are measured.
    get(bench.service, target, headers, expected=expected)
    answer = get(bench.service, target, headers, expected=expected)
    loads: list[tuple[str, Load]] = []

    def ask(server: Server) -> float:
        load = bench.load(server, [request], seconds=bench.timing.reads)
        loads.append((server.name, load))
        return load.rate

    with serving_limit([answer], bench.pinning.server) as limit:
        for server in (bench.service, limit):
            bench.load(server, [request], seconds=_WARM_UP)
        found = alternate(lambda: ask(bench.service), lambda: ask(limit))
    check_same_bytes(loads[0][1], loads[1][1])
    bounded = [name for name, load in loads if load.is_bounded_by_load]
    samples: dict[str, object] = {"loads": [describe_load(load, name) for name, load in loads]}
    if bounded:
        samples["bounded_by_load"] = bounded
        raise_note = f" (the load generator was the bottleneck of {', '.join(sorted(set(bounded)))})"
        return found, describe_bytes(answer) + raise_note, samples
    return found, describe_bytes(answer), samples


def _describe(found: Comparison, other: str) -> str:
    return (
        f"{median_text(found.ours)}/s over the {other} server's {median_text(found.other)}/s "
        f"(neighbouring segments {found.range[0]:.2f} to {found.range[1]:.2f})"
    )


def median_text(values: tuple[float, ...]) -> str:
    """Return the median of rates in words."""
    return f"{sorted(values)[len(values) // 2]:,.0f}"


def _count_tutorial_nodes(answer: Answer) -> int:
    count, waiting = 0, list(answer.content)
    while waiting:
        node = waiting.pop()
        count += 1
        waiting.extend(node["replies"])
    return count
