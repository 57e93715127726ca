"""What a tool server counts, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The counters of one server; a second one in the process has its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        more: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter(
            "deixis_requests", "Requests by route and status", ["route", "status"], **more
        )
        self._seconds = Histogram("deixis_request_seconds", "Time", ["route"], buckets=SECONDS, **more)
        self._batches = Histogram("deixis_batch_size", "Requests in a call", ["role"], buckets=SIZES, **more)
        self._work = Histogram("deixis_tool_seconds", "Time of a call", ["role"], buckets=SECONDS, **more)
        self._waited = Histogram(
            "deixis_queue_seconds", "Time in the queue", ["role"], buckets=SECONDS, **more
        )
        self.queue = Gauge("deixis_queue_length", "Requests waiting for a tool", ["role"], **more)
        self.media_bytes = Counter("deixis_media_received_bytes", "Bytes of media taken in", **more)
        self.in_flight = Gauge("deixis_requests_in_flight", "Requests under way", **more)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts one request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, role: str, size: int, seconds: float, waited_s: Sequence[float]) -> None:
        """Counts one call of a tool with `size` requests."""
        self._batches.labels(role).observe(size)
        self._work.labels(role).observe(seconds)
        for one in waited_s:
            self._waited.labels(role).observe(one)

    def page(self) -> bytes:
        """Returns the page that Prometheus reads."""
        return generate_latest(self.registry)
