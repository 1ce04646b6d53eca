"""The export over OTLP, to a collector that a test runs: what arrives, and what a dead collector does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.metrics import export as otel
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from tests.otlp_collector import SECONDS, OtlpCollector, otlp_collector
from tests.ports import free_ports

from crossgate.compiler.route_names import DecisionSeries
from crossgate.telemetry.otlp import MetricsExport, default_resource
from crossgate.telemetry.otlp_request import encode_metrics

PETS = DecisionSeries("pets/1", "/gateway/pets/1", "preflight", "origin-refused", observed=True)


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with otlp_collector() as running:
        yield running


class Decisions:
    def __init__(self, totals: Mapping[DecisionSeries, int]) -> None:
        self.values = totals
        self.reads = 0

    def totals(self) -> Mapping[DecisionSeries, int]:
        self.reads += 1
        return dict(self.values)

    def totals_by_node(self) -> Mapping[str, Mapping[DecisionSeries, int]]:
        raise AssertionError("the export sums over nodes")


class Switch(Collector):
    """A gauge whose value is a boolean."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("crossgate_store_reachable", "Whether.", value=True)


def registry() -> CollectorRegistry:
    own = CollectorRegistry()
    own.register(Switch())
    Gauge("crossgate_revision", "The newest revision.", registry=own).set(7)
    Counter("crossgate_xds_pushes", "Sent.", ["type"], registry=own).labels("Cluster").inc(3)
    applied = Histogram(
        "crossgate_change_applied_seconds", "Time.", ["node"], buckets=(0.01, 0.1), registry=own
    )
    for seconds in (0.005, 0.05, 0.06, 5.0):
        applied.labels("a").observe(seconds)
    return own


def export(
    decisions: Decisions, endpoint: str | None, reported: list[str | None] | None = None
) -> MetricsExport:
    on_failure = (reported if reported is not None else []).append
    resource = default_resource("here", "1.2.3")
    return MetricsExport(decisions, registry(), resource, on_failure, endpoint)


def attributes(point: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in point.attributes}


def test_the_numbers_of_the_page_arrive(collector: OtlpCollector) -> None:
    exporting = export(Decisions({PETS: 41}), collector.url)
    exporting.start()
    found = collector.metrics(2)
    exporting.close()

    decisions = found["crossgate_decisions"].sum
    assert decisions.is_monotonic
    assert decisions.aggregation_temporality == 2  # AGGREGATION_TEMPORALITY_CUMULATIVE
    assert decisions.data_points[0].as_int == 41
    assert attributes(decisions.data_points[0]) == {
        "api": "pets/1",
        "endpoint": "/gateway/pets/1",
        "flow": "preflight",
        "reason": "origin-refused",
        "observed": "true",
    }
    assert found["crossgate_revision"].gauge.data_points[0].as_double == 7
    assert found["crossgate_store_reachable"].gauge.data_points[0].as_double == 1
    pushes = found["crossgate_xds_pushes"].sum.data_points[0]
    assert (pushes.as_double, attributes(pushes)) == (3, {"type": "Cluster"})
    applied = found["crossgate_change_applied_seconds"]
    point = applied.histogram.data_points[0]
    assert applied.unit == "s"
    assert (list(point.explicit_bounds), list(point.bucket_counts)) == ([0.01, 0.1], [1, 2, 1])
    assert (point.count, attributes(point)) == (4, {"node": "a"})
    assert point.sum == pytest.approx(5.115)


def test_the_wire_format() -> None:
    """Bytes that the classes of opentelemetry-proto 1.45 decoded as meant; see `otlp_request`."""
    cumulative = otel.AggregationTemporality.CUMULATIVE
    unknown: Any = None
    histogram = otel.HistogramDataPoint({"n": "x"}, 1, 5, 3, 1.5, [1, 2], [0.1], min=unknown, max=unknown)
    metrics = [
        otel.Metric(
            "a",
            "A.",
            "s",
            otel.Sum([otel.NumberDataPoint({"k": "v"}, 0, 5, 41)], cumulative, is_monotonic=True),
        ),
        otel.Metric("b", "B.", "", otel.Gauge([otel.NumberDataPoint({}, 0, 5, 0.5)])),
        otel.Metric("c", "C.", "", otel.Histogram([histogram], cumulative)),
    ]
    assert encode_metrics({"service.name": "crossgate"}, metrics).hex() == (
        "0aec010a1d0a1b0a0c736572766963652e6e616d65120b0a0963726f73736761746512ca010a0b0a0963726f7373676174651237"
        "0a01611202412e1a01733a2b0a251100000000000000001905000000000000003129000000000000003a080a016b12030a017610"
        "02180112280a01621202422e1a002a1d0a1b11000000000000000019050000000000000021000000000000e03f12580a01631202"
        "432e1a004a4d0a4911010000000000000019050000000000000021030000000000000029000000000000f83f3101000000000000"
        "00310200000000000000399a9999999999b93f4a080a016e12030a01781002"
    )


def test_the_end_exports_once_more(collector: OtlpCollector) -> None:
    decisions = Decisions({PETS: 41})
    exporting = export(decisions, collector.url)
    exporting.start()
    collector.metrics(2)
    decisions.values = {PETS: 42}
    exporting.close()
    assert collector.metrics(2)["crossgate_decisions"].sum.data_points[0].as_int == 42


def test_many_series_arrive_in_several_requests(collector: OtlpCollector) -> None:
    many = {DecisionSeries(f"a{number}/1", "/a", "no-origin", "no-origin"): number for number in range(4500)}
    exporting = export(Decisions(many), collector.url)
    exporting.start()
    collector.metrics()
    parts = [collector.metrics()["crossgate_decisions"].sum.data_points for _ in range(3)]
    exporting.close()
    assert [len(part) for part in parts] == [2000, 2000, 500]
    assert sum(point.as_int for part in parts for point in part) == sum(many.values())


def test_standard_variables(collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.removesuffix("/v1/metrics"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "edge")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    exporting = export(Decisions({PETS: 1}), None)
    exporting.start()
    path, headers, body = collector.requests.get(timeout=SECONDS)
    collector.metrics(3)  # the next interval's
    exporting.close()
    assert path == "/v1/metrics"
    assert headers["api-key"] == "secret"
    assert headers["content-encoding"] == "gzip"
    resource = {one.key: one.value.string_value for one in body.resource_metrics[0].resource.attributes}
    assert resource == {
        "service.name": "edge",
        "service.instance.id": "here",
        "service.version": "1.2.3",
        "deployment.environment.name": "test",
    }


def test_a_dead_collector_is_reported_once_and_its_return_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "20")
    port = free_ports(1)[0]
    decisions = Decisions({PETS: 1})
    reported = _Reported()
    url = f"http://127.0.0.1:{port}/v1/metrics"
    exporting = export(decisions, url, reported)
    exporting.start()
    reason = reported.wait()
    assert reason is not None
    assert "ConnectError" in reason
    assert decisions.reads == 0
    with otlp_collector(port) as returned:
        assert reported.wait() is None
        assert "crossgate_decisions" in returned.metrics(2)
        exporting.close()
    assert len(reported) == 2
    assert capfd.readouterr() == ("", "")


class _Reported(list[str | None]):
    """Reports, and a way to wait for the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._queue: queue.Queue[str | None] = queue.Queue()

    def append(self, reason: str | None) -> None:
        super().append(reason)
        self._queue.put(reason)

    def wait(self) -> str | None:
        return self._queue.get(timeout=SECONDS)


def test_the_end_does_not_wait_for_a_dead_collector() -> None:
    reported = _Reported()
    exporting = export(Decisions({PETS: 1}), f"http://127.0.0.1:{free_ports(1)[0]}/v1/metrics", reported)
    exporting.start()
    exporting.close()
    assert [thread for thread in threading.enumerate() if thread.name == "otlp"] == []


def test_the_reason_of_a_failure_is_the_collectors_answer(
    collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1.5")
    collector.status = 503
    reported = _Reported()
    exporting = export(Decisions({PETS: 1}), collector.url, reported)
    exporting.start()
    assert reported.wait() == "503 Service Unavailable"
    exporting.close()


def test_a_collector_that_refuses_is_reported_with_its_answer(collector: OtlpCollector) -> None:
    collector.status = 401
    reported = _Reported()
    exporting = export(Decisions({PETS: 1}), collector.url, reported)
    exporting.start()
    assert "401" in (reported.wait() or "")
    exporting.close()


def test_a_certificate_that_cannot_be_read_is_reported(
    collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")
    reported = _Reported()
    exporting = export(Decisions({PETS: 1}), collector.url, reported)
    exporting.start()
    assert "FileNotFoundError" in (reported.wait() or "")
    exporting.close()


def test_a_failing_source_is_reported_and_does_not_end_the_export(
    collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Decisions):
        def totals(self) -> Mapping[DecisionSeries, int]:
            if not self.reads:
                self.reads = 1
                raise RuntimeError("not yet")
            return self.values

    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "20")
    reported = _Reported()
    exporting = export(Failing({PETS: 9}), collector.url, reported)
    exporting.start()
    assert reported.wait() == "RuntimeError: not yet"
    assert reported.wait() is None
    exporting.close()
