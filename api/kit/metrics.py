"""What Prometheus is told. Labels are operation names, never paths: a path would be unbounded."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "palaver_requests_total", "Answers by operation and status.", ["operation", "status"]
)
REQUEST_SECONDS = Histogram(
    "palaver_request_seconds",
    "Time from the request to the last byte of the answer, in seconds.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_RELAYED = Counter("palaver_events_relayed_total", "Events that the worker carried out.")
EVENTS_FAILED = Counter("palaver_events_failed_total", "Tries of the worker that failed.")
