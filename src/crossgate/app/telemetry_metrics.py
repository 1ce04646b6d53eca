"""Metrics of telemetry itself: whether nodes report, what was lost on the way, and whether it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as MetricCollector

from crossgate.service.ports import utc_now
from crossgate.telemetry.collector import Collector
from crossgate.xds.ledger import Ledger


class TelemetryMetrics(MetricCollector):
    """Reads what the collector did, of the nodes that are connected."""

    def __init__(
        self,
        collector: Collector,
        ledger: Ledger,
        dropped_log_lines: Callable[[], int] | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._collector = collector
        self._ledger = ledger
        self._dropped_log_lines = dropped_log_lines
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The values at this moment."""
        activity = self._collector.activity()
        connected: dict[str, datetime] = {}
        for session in tuple(self._ledger.sessions):
            since = datetime.fromtimestamp(session.connected_at, UTC)
            connected[session.node] = min(since, connected.get(session.node, since))
        age = GaugeMetricFamily(
            "crossgate_node_report_age_seconds",
            "Time since the node reported its counters, or since it connected if it never did.",
            labels=["node"],
        )
        for node, since in connected.items():
            last = activity.flushed.get(node, since)
            age.add_metric([node], max(0.0, (self._now() - last).total_seconds()))
        yield age
        samples = CounterMetricFamily(
            "crossgate_node_samples",
            "Requests that the node would report one by one.",
            labels=["node", "result"],
        )
        results: dict[tuple[str, str], int] = {
            (node, "received"): count for node, count in activity.received.items() if node in connected
        }
        for (node, _), deliveries in activity.deliveries.items():
            if node in connected:
                for result in ("admitted", "denied", "written", "dropped"):
                    key = (node, result)
                    results[key] = results.get(key, 0) + getattr(deliveries, result)
        for labels, count in results.items():
            samples.add_metric(labels, count)
        yield samples
        batches = CounterMetricFamily(
            "crossgate_telemetry_batches", "Batches of counts and groups for the store.", labels=["result"]
        )
        batches.add_metric(["stored"], activity.stored_batches)
        batches.add_metric(["failed"], activity.failed_batches)
        yield batches
        yield GaugeMetricFamily(
            "crossgate_telemetry_groups", "Groups of refused requests in memory.", activity.groups
        )
        yield CounterMetricFamily(
            "crossgate_telemetry_groups_displaced",
            "Groups that left the memory for others, and are counted as others since.",
            activity.displaced_groups,
        )
        if self._dropped_log_lines is not None:
            yield CounterMetricFamily(
                "crossgate_log_lines_dropped",
                "Lines of the log that were written faster than they could be stored or read.",
                self._dropped_log_lines(),
            )
