"""The table: every row, in the order in which it is printed and measured."""

from benchmarks.rows.busy import measure_busy_article
from benchmarks.rows.fresh import measure_freshness
from benchmarks.rows.logging_in import measure_log_ins
from benchmarks.rows.mixed import measure_memory, measure_mix
from benchmarks.rows.notified import measure_deliveries, measure_notified
from benchmarks.rows.reading import measure_hot_page, measure_unchanged, measure_whole_tree
from benchmarks.rows.row import Finding, Row
from benchmarks.rows.screening import measure_screened_rate, measure_screening
from benchmarks.rows.streaming import measure_idle_streams, measure_watchers
from benchmarks.rows.uncached import measure_deeper_pages, measure_first_page, measure_over_driver
from benchmarks.rows.writing import measure_latency, measure_one_article, measure_rate

__all__ = ["ROWS", "Finding", "Row"]

# {largest} is the size of the largest article of the run.
ROWS = (
    Row(
        key="hot-page",
        what="Hot tree page, with the freshness check, over the limit server's rate for the same "
        "bytes",
        target="at least 0.70",
        figure=0.70,
        unit="",
        is_ceiling=False,
        measure=measure_hot_page,
    ),
    Row(
        key="whole-tree",
        what="Whole tree of 1,000 comments, hot, over the tutorial server's rate",
        target="at least 150 times",
        figure=150,
        unit=" times",
        is_ceiling=False,
        measure=measure_whole_tree,
    ),
    Row(
        key="not-modified",
        what="304 over the limit server's rate for an empty 304",
        target="at least 0.60",
        figure=0.60,
        unit="",
        is_ceiling=False,
        measure=measure_unchanged,
    ),
    Row(
        key="first-page",
        what="First page uncached, {largest} comments over 500 (same number of nodes)",
        target="at most 1.3 times the time",
        figure=1.3,
        unit=" times",
        is_ceiling=True,
        measure=measure_first_page,
    ),
    Row(
        key="deeper-page",
        what='Any deeper page or "load more", uncached, {largest} comments over 500',
        target="at most 1.3 times the time",
        figure=1.3,
        unit=" times",
        is_ceiling=True,
        measure=measure_deeper_pages,
    ),
    Row(
        key="over-driver",
        what="First page uncached over the driver's bare time for the same statement",
        target="at most 2.5 times",
        figure=2.5,
        unit=" times",
        is_ceiling=True,
        measure=measure_over_driver,
    ),
    Row(
        key="create",
        what="Creating a comment on different articles, over the bare driver's rate for the same "
        "statements",
        target="at least 0.4",
        figure=0.4,
        unit="",
        is_ceiling=False,
        measure=measure_rate,
    ),
    Row(
        key="create-latency",
        what="The same at half that load: p99",
        target="at most 50 ms",
        figure=50,
        unit=" ms",
        is_ceiling=True,
        measure=measure_latency,
    ),
    Row(
        key="create-hot",
        what="Creating on one hot article",
        target="at least 150 a second",
        figure=150,
        unit="/s",
        is_ceiling=False,
        measure=measure_one_article,
    ),
    Row(
        key="create-screened",
        what="Creating over 1,000 articles with screening on, over the rate with it off",
        target="at least 0.9",
        figure=0.9,
        unit="",
        is_ceiling=False,
        measure=measure_screened_rate,
    ),
    Row(
        key="screening",
        what="10,000 entries of word lists over a comment of 10,000 characters, in process",
        target="under 5 ms",
        figure=5,
        unit=" ms",
        is_ceiling=True,
        measure=measure_screening,
    ),
    Row(
        key="log-ins",
        what="500 reads/s of a hot page beside 8 log-ins at once: p99",
        target="at most 20 ms, and p50 at most 2 ms",
        figure=20,
        unit=" ms",
        is_ceiling=True,
        measure=measure_log_ins,
    ),
    Row(
        key="busy-article",
        what="200 reads/s of one article beside 75 replies/s, on two processes: p99",
        target="at most 100 ms, and none above 500 ms",
        figure=100,
        unit=" ms",
        is_ceiling=True,
        measure=measure_busy_article,
    ),
    Row(
        key="mix",
        what="95 % reads and 5 % writes over 1,000 articles with Zipf popularity, over the limit "
        "server's rate",
        target="at least 0.4",
        figure=0.4,
        unit="",
        is_ceiling=False,
        measure=measure_mix,
    ),
    Row(
        key="fresh",
        what="A read that begins after a write was acknowledged, on any process: older than the "
        "write",
        target="0 of 100,000",
        figure=0,
        unit=" stale",
        is_ceiling=True,
        measure=measure_freshness,
    ),
    Row(
        key="create-notified",
        what="The same as `create` with notifications, two followers and a webhook, over the rate "
        "without",
        target="at least 0.8",
        figure=0.8,
        unit="",
        is_ceiling=False,
        measure=measure_notified,
    ),
    Row(
        key="deliveries",
        what="Messages to webhooks on this machine, sent by one worker",
        target="at least 100 a second",
        figure=100,
        unit="/s",
        is_ceiling=False,
        measure=measure_deliveries,
    ),
    Row(
        key="watchers",
        what="A reply reaches all of 1,000 watchers of its article: p99",
        target="at most 250 ms",
        figure=250,
        unit=" ms",
        is_ceiling=True,
        measure=measure_watchers,
    ),
    Row(
        key="idle-streams",
        what="Memory of one process with 5,000 idle streams",
        target="at most 400 MiB",
        figure=400,
        unit=" MiB",
        is_ceiling=True,
        measure=measure_idle_streams,
    ),
    Row(
        key="memory",
        what="Memory of one process after all of that",
        target="at most 220 MiB, and flat",
        figure=220,
        unit=" MiB",
        is_ceiling=True,
        measure=measure_memory,
    ),
)
