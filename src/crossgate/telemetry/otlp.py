"""Exports the metrics of the page ``/metrics`` over OTLP, from a thread of its own.

The numbers are read from the same sources as the page, and posted in small batches: as instruments of the
SDK, 60,000 series would be copied at each collection. Every value is cumulative.

Endpoint, headers, compression, time-out, certificates, interval and resource come from the environment:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from opentelemetry.sdk.metrics import export as otel
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.samples import Sample

from crossgate.telemetry.metrics import (
    DECISION_LABELS,
    DECISIONS,
    DECISIONS_HELP,
    DecisionSums,
    label_values,
)
from crossgate.telemetry.otlp_request import OtlpClient, encode_metrics

DEFAULT_INTERVAL_SECONDS: Final = 60.0
REPEAT_SECONDS: Final = 600.0
"""How often a failure is reported while it lasts."""
_BATCH: Final = 2_000
"""Points in one request: some 60 ms of work."""
_PAUSE_SECONDS: Final = 0.01
"""Between batches, for the threads that serve."""
_CLOSE_SECONDS: Final = 3.0
"""How long the end waits for the last export."""
_LONGEST_REASON: Final = 300
_UNITS: Final = {"seconds": "s", "bytes": "By"}

OnFailure = Callable[[str | None], None]
"""Called from the exporting thread with the reason of a failure, and with None when exports succeed again."""


def default_resource(instance: str, version: str) -> Mapping[str, str]:
    """The attributes of the resource that the environment may override."""
    return {"service.name": "crossgate", "service.instance.id": instance, "service.version": version}


class MetricsExport:
    """Exports at once, then at each interval, until `close`."""

    def __init__(
        self,
        decisions: DecisionSums,
        registry: CollectorRegistry,
        resource: Mapping[str, str],
        on_failure: OnFailure,
        endpoint: str | None = None,
    ) -> None:
        """``endpoint`` is the URL to post to; None: as the environment says."""
        self._decisions = decisions
        self._registry = registry
        # What the environment says has priority over the defaults.
        self._resource = Resource(resource).merge(OTELResourceDetector().detect())
        self._on_failure = on_failure
        self._endpoint = endpoint
        # Made by the first export: a certificate that cannot be read is reported, and ends no start.
        self._client: OtlpClient | None = None
        self._interval = _interval()
        self._began = time.time_ns()
        self._failing_since: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)

    def start(self) -> None:
        """Start exporting."""
        self._thread.start()

    def close(self) -> None:
        """Export once more, unless the collector failed, and end. Blocks for a few seconds at most."""
        self._stop.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._client is not None:
            self._client.close()

    def _run(self) -> None:
        self._export()
        while not self._stop.wait(self._interval):
            self._export()
        if self._failing_since is None:
            self._export()

    def _export(self) -> None:
        try:
            # The first batch is small: with a dead collector, the decisions are not even read.
            reason = next((failed for batch in self._batches() if (failed := self._send(batch))), None)
        except Exception as error:  # noqa: BLE001 - the thread must outlive it; it is reported
            reason = f"{type(error).__name__}: {error}"
        self._note(reason)

    def _send(self, batch: list[otel.Metric]) -> str | None:
        """The reason why it could not be exported, or None."""
        if self._client is None:
            self._client = OtlpClient(os.environ, self._endpoint)
        reason = self._client.post(encode_metrics(self._resource.attributes, batch))
        return None if reason is None else reason[:_LONGEST_REASON]

    def _note(self, reason: str | None) -> None:
        now = time.monotonic()
        if reason is None:
            if self._failing_since is not None:
                self._failing_since = None
                self._on_failure(None)
        elif self._failing_since is None or now - self._failing_since >= REPEAT_SECONDS:
            self._failing_since = now
            self._on_failure(reason)

    def _batches(self) -> Iterator[list[otel.Metric]]:
        now = time.time_ns()
        own = (_metric(family, self._began, now) for family in self._registry.collect())
        yield [metric for metric in own if metric is not None]
        totals = iter(self._decisions.totals().items())
        while part := list(islice(totals, _BATCH)):
            time.sleep(_PAUSE_SECONDS)
            # Counting began before this process did, at a time that is not known: 0 (metrics.proto).
            points = [
                otel.NumberDataPoint(
                    dict(zip(DECISION_LABELS, label_values(series), strict=True)), 0, now, count
                )
                for series, count in part
            ]
            yield [otel.Metric(DECISIONS, DECISIONS_HELP, "{request}", _sum(points))]


def _interval() -> float:
    """``OTEL_METRIC_EXPORT_INTERVAL``, which is in milliseconds; an invalid value is ignored."""
    try:
        seconds = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")) / 1000
    except ValueError:
        return DEFAULT_INTERVAL_SECONDS
    return seconds if 0 < seconds < threading.TIMEOUT_MAX else DEFAULT_INTERVAL_SECONDS


def _metric(family: Metric, began: int, now: int) -> otel.Metric | None:
    """A family of the registry, with the name that it has on the page without ``_total``."""
    if not family.samples:
        return None
    unit = _UNITS.get(family.name.rpartition("_")[2], "")
    if family.type == "histogram":
        points = [_histogram_point(labels, samples, began, now) for labels, samples in _grouped(family)]
        data: otel.DataT = otel.Histogram(points, otel.AggregationTemporality.CUMULATIVE)
        return otel.Metric(family.name, family.documentation, unit, data)
    is_counter = family.type == "counter"
    numbers = [
        otel.NumberDataPoint(sample.labels, began if is_counter else 0, now, float(sample.value))
        for sample in family.samples
    ]
    name = family.samples[0].name.removesuffix("_total") if is_counter else family.samples[0].name
    return otel.Metric(name, family.documentation, unit, _sum(numbers) if is_counter else otel.Gauge(numbers))


def _sum(points: list[otel.NumberDataPoint]) -> otel.Sum:
    return otel.Sum(points, otel.AggregationTemporality.CUMULATIVE, is_monotonic=True)


def _grouped(family: Metric) -> Iterator[tuple[dict[str, str], list[Sample]]]:
    """The samples of each histogram of a family, by its labels."""
    groups: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in family.samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        groups.setdefault(labels, []).append(sample)
    for labels, samples in groups.items():
        yield dict(labels), samples


def _histogram_point(
    labels: dict[str, str], samples: list[Sample], began: int, now: int
) -> otel.HistogramDataPoint:
    """Prometheus' buckets contain those below them, OTLP's do not; the last one is infinite in both."""
    below = [(float(one.labels["le"]), int(one.value)) for one in samples if one.name.endswith("_bucket")]
    counts = [count - before for (_, count), (_, before) in zip(below, [(0.0, 0), *below], strict=False)]
    total = next(one.value for one in samples if one.name.endswith("_sum"))
    bounds = [bound for bound, _ in below[:-1]]
    # Prometheus has neither minimum nor maximum; both are optional in OTLP.
    unknown: Any = None
    return otel.HistogramDataPoint(
        labels, began, now, below[-1][1], total, counts, bounds, min=unknown, max=unknown
    )
