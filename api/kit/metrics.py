"""Metrics for Prometheus. Labels are operation names, never paths: those are unbounded."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import REGISTRY, CounterMetricFamily
from prometheus_client.registry import Collector


class RequestCounter(Collector):
    """Responses by operation and status.

    A plain dictionary: the client library's counter takes a lock and some microseconds, and the
    edge has a dozen of those for a response. Only the event loop's thread counts.
    """

    def __init__(self) -> None:
        self._counts: Tally[tuple[str, int]] = Tally()

    def count(self, operation: str, status: int) -> None:
        """Count a response."""
        self._counts[operation, status] += 1

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return the counts to the registry."""
        family = CounterMetricFamily(
            "palaver_requests", "Responses by operation and status.", labels=["operation", "status"]
        )
        for (operation, status), count in self._counts.copy().items():
            family.add_metric([operation, str(status)], count)
        yield family


REQUESTS = RequestCounter()
REGISTRY.register(REQUESTS)
REQUEST_SECONDS = Histogram(
    "palaver_request_seconds",
    "Time from the request to the last byte of the response, in seconds.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CONNECTIONS = Gauge("palaver_connections", "Open connections of clients.")
CONNECTIONS_EVICTED = Counter(
    "palaver_connections_evicted_total",
    "Connections without a request that were closed to make room for new ones.",
)
STREAMS = Gauge("palaver_streams", "Open event streams.")
STREAMS_ENDED = Counter(
    "palaver_streams_ended_total",
    "Event streams that have ended: client, gone, credentials, slow or shutdown.",
    ["reason"],
)
EVENTS_RELAYED = Counter(
    "palaver_events_relayed_total", "Events that this worker turned into deliveries."
)
DELIVERIES = Counter("palaver_deliveries_total", "Deliveries that were made.", ["consumer"])
DELIVERY_FAILURES = Counter(
    "palaver_delivery_failures_total", "Attempts to deliver that failed.", ["consumer"]
)
DELIVERIES_WAITING = Gauge("palaver_deliveries_waiting", "Deliveries before their first attempt.")
DELIVERIES_FAILED = Gauge("palaver_deliveries_failed", "Deliveries that failed and are retried.")
DELIVERIES_DEAD = Gauge("palaver_deliveries_dead", "Deliveries that were given up.")
DELIVERY_LAG = Gauge(
    "palaver_delivery_lag_seconds",
    "Age in seconds of the oldest event that waits for the relay or for a first attempt.",
)
