"""Metrics of telemetry itself, of a real collector and ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from tests.unit.telemetry.samples import sample

from crossgate.app.telemetry_metrics import TelemetryMetrics
from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.errors import StoreUnavailable
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.telemetry.collector import Collector
from crossgate.telemetry.reported_counters import LogDeliveries
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Ledger

SERIES = DecisionSeries("pets/1", "/gateway/pets/1", "no-origin", "no-origin")


class Setting:
    """A collector and a ledger at a time that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 28, 12, tzinfo=UTC)
        self.ledger = Ledger(Cache(), clock=lambda: self.time.timestamp())
        self.collector = Collector("here", now=lambda: self.time)
        self.registry = CollectorRegistry()
        self.dropped_lines = 0
        self.registry.register(
            TelemetryMetrics(self.collector, self.ledger, lambda: self.dropped_lines, now=lambda: self.time)
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def test_age_of_the_last_report() -> None:
    setting = Setting()
    reporting, silent = setting.ledger.connect("reporting"), setting.ledger.connect("silent")
    setting.pass_seconds(30)
    setting.collector.flushed("reporting")
    setting.pass_seconds(7)
    name = "crossgate_node_report_age_seconds"
    assert setting.value(name, node="reporting") == 7
    assert setting.value(name, node="silent") == 37
    setting.ledger.disconnect(reporting)
    setting.ledger.disconnect(silent)
    assert setting.value(name, node="reporting") is None
    assert setting.value(name, node="silent") is None


def test_reports_of_single_requests() -> None:
    setting = Setting()
    setting.ledger.connect("n")
    setting.collector.delivered("n", "1", LogDeliveries(admitted=5, denied=7, written=4, dropped=1))
    setting.collector.delivered("n", "2", LogDeliveries(admitted=1, written=1))
    setting.collector.delivered("gone", "1", LogDeliveries(admitted=9))
    setting.collector.sampled([sample(node="n")] * 3)
    name = "crossgate_node_samples_total"
    found = {
        result: setting.value(name, node="n", result=result)
        for result in ("admitted", "denied", "written", "dropped", "received")
    }
    assert found == {"admitted": 6, "denied": 7, "written": 5, "dropped": 1, "received": 3}
    assert setting.value(name, node="gone", result="admitted") is None


def test_batches() -> None:
    class Failing(InMemoryTelemetryStore):
        fails = False

        def client_key(self, day: datetime) -> bytes:
            if self.fails:
                raise StoreUnavailable("the disk is full", "Free space")
            return super().client_key(day)

    setting = Setting()
    store = Failing()
    setting.collector.store = store
    setting.collector.counted("n", "1", {SERIES: 3})
    setting.collector.store_now()
    store.fails = True
    setting.pass_seconds(24 * 3600)
    setting.collector.counted("n", "1", {SERIES: 4})
    setting.collector.store_now()
    assert setting.value("crossgate_telemetry_batches_total", result="stored") == 1
    assert setting.value("crossgate_telemetry_batches_total", result="failed") == 1


def test_groups_and_lines_of_the_log() -> None:
    setting = Setting()
    setting.collector.sampled([sample(origin=f"https://{number}.example") for number in range(9000)])
    setting.dropped_lines = 4
    groups = setting.value("crossgate_telemetry_groups")
    displaced = setting.value("crossgate_telemetry_groups_displaced_total")
    assert groups == 8192
    assert displaced == 9000 - 8192
    assert setting.value("crossgate_log_lines_dropped_total") == 4
