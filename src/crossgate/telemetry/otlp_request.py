"""Metrics as the body of an OTLP request, and the client that posts it.

The messages are declared here: the package xds-protos contains an old copy of those of OpenTelemetry, under
the same names as the package opentelemetry-proto, so that only one of them can be installed. Their source:
https://github.com/open-telemetry/opentelemetry-proto/tree/v1.9.0/opentelemetry/proto.

There is no retry: the next export has the same sums, and newer.
"""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Mapping, Sequence
from typing import Any as Message
from typing import Final

import httpx
from opentelemetry.sdk.metrics import export as otel
from opentelemetry.util.re import parse_env_headers

from crossgate.telemetry.declared_messages import Field, Messages, declare_message
from crossgate.telemetry.otlp_target import DEFAULT_ENDPOINT

_STRING, _DOUBLE, _BOOL, _INT32 = Field.TYPE_STRING, Field.TYPE_DOUBLE, Field.TYPE_BOOL, Field.TYPE_INT32
_FIXED64, _SFIXED64 = Field.TYPE_FIXED64, Field.TYPE_SFIXED64
_TIMES: Final = {
    "start_time_unix_nano": (2, _FIXED64, False),
    "time_unix_nano": (3, _FIXED64, False),
}
_MESSAGES: Final[Messages] = {
    "AnyValue": {"string_value": (1, _STRING, False)},
    "KeyValue": {"key": (1, _STRING, False), "value": (2, "AnyValue", False)},
    "Resource": {"attributes": (1, "KeyValue", True)},
    "Scope": {"name": (1, _STRING, False)},
    "NumberDataPoint": {
        **_TIMES,
        "as_double": (4, _DOUBLE, False),
        "as_int": (6, _SFIXED64, False),
        "attributes": (7, "KeyValue", True),
    },
    "HistogramDataPoint": {
        **_TIMES,
        "count": (4, _FIXED64, False),
        "sum": (5, _DOUBLE, False),
        "bucket_counts": (6, _FIXED64, True),
        "explicit_bounds": (7, _DOUBLE, True),
        "attributes": (9, "KeyValue", True),
    },
    "Gauge": {"data_points": (1, "NumberDataPoint", True)},
    "Sum": {
        "data_points": (1, "NumberDataPoint", True),
        "aggregation_temporality": (2, _INT32, False),
        "is_monotonic": (3, _BOOL, False),
    },
    "Histogram": {
        "data_points": (1, "HistogramDataPoint", True),
        "aggregation_temporality": (2, _INT32, False),
    },
    "Metric": {
        "name": (1, _STRING, False),
        "description": (2, _STRING, False),
        "unit": (3, _STRING, False),
        "gauge": (5, "Gauge", False),
        "sum": (7, "Sum", False),
        "histogram": (9, "Histogram", False),
    },
    "ScopeMetrics": {"scope": (1, "Scope", False), "metrics": (2, "Metric", True)},
    "ResourceMetrics": {"resource": (1, "Resource", False), "scope_metrics": (2, "ScopeMetrics", True)},
    "ExportMetricsServiceRequest": {"resource_metrics": (1, "ResourceMetrics", True)},
}
ExportMetricsServiceRequest: Final = declare_message(_MESSAGES, "ExportMetricsServiceRequest")

_DEFAULT_SECONDS: Final = 10.0


def encode_metrics(resource: Mapping[str, object], metrics: Sequence[otel.Metric]) -> bytes:
    """The body of one request."""
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add()
    _add_attributes(found.resource.attributes, resource)
    scope = found.scope_metrics.add()
    scope.scope.name = "crossgate"
    for metric in metrics:
        added = scope.metrics.add(name=metric.name, description=metric.description, unit=metric.unit)
        match metric.data:
            case otel.Sum(points, temporality, is_monotonic):
                added.sum.aggregation_temporality = temporality.value
                added.sum.is_monotonic = is_monotonic
                _add_numbers(added.sum.data_points, points)
            case otel.Gauge(points):
                _add_numbers(added.gauge.data_points, points)
            case otel.Histogram(points, temporality):
                added.histogram.aggregation_temporality = temporality.value
                _add_histograms(added.histogram.data_points, points)
            case _:
                raise AssertionError(metric.data)
    body: bytes = request.SerializeToString()
    return body


def _add_numbers(to: Message, points: Sequence[otel.NumberDataPoint]) -> None:
    for point in points:
        added = to.add(start_time_unix_nano=point.start_time_unix_nano, time_unix_nano=point.time_unix_nano)
        if isinstance(point.value, int):
            added.as_int = point.value
        else:
            added.as_double = point.value
        _add_attributes(added.attributes, point.attributes or {})


def _add_histograms(to: Message, points: Sequence[otel.HistogramDataPoint]) -> None:
    for point in points:
        added = to.add(
            start_time_unix_nano=point.start_time_unix_nano,
            time_unix_nano=point.time_unix_nano,
            count=point.count,
            sum=point.sum,
            bucket_counts=point.bucket_counts,
            explicit_bounds=point.explicit_bounds,
        )
        _add_attributes(added.attributes, point.attributes or {})


def _add_attributes(to: Message, attributes: Mapping[str, object]) -> None:
    for key, value in attributes.items():
        to.add(key=key).value.string_value = str(value)


class OtlpClient:
    """Posts bodies to a collector, as the environment says; ``endpoint`` replaces the one that it names."""

    def __init__(self, environment: Mapping[str, str], endpoint: str | None) -> None:
        def setting(name: str) -> str:
            # The more specific variable wins.
            return environment.get(f"OTEL_EXPORTER_OTLP_METRICS_{name}") or environment.get(
                f"OTEL_EXPORTER_OTLP_{name}", ""
            )

        base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT
        of_metrics = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
        self._url = endpoint or of_metrics or base.rstrip("/") + "/v1/metrics"
        self._gzip = setting("COMPRESSION").strip().lower() == "gzip"
        headers = {"Content-Type": "application/x-protobuf", "User-Agent": "crossgate"}
        if self._gzip:
            headers["Content-Encoding"] = "gzip"
        self._client = httpx.Client(
            headers={**headers, **parse_env_headers(setting("HEADERS"), liberal=True)},
            timeout=_seconds(setting("TIMEOUT")),
            verify=_trust(setting("CERTIFICATE"), setting("CLIENT_CERTIFICATE"), setting("CLIENT_KEY")),
        )

    def post(self, body: bytes) -> str | None:
        """The reason why the collector did not take the body, or None."""
        try:
            response = self._client.post(self._url, content=gzip.compress(body) if self._gzip else body)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        if response.is_success:
            return None
        return f"{response.status_code} {response.reason_phrase}"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _seconds(raw: str) -> float:
    try:
        seconds = float(raw)
    except ValueError:
        return _DEFAULT_SECONDS
    return seconds if 0 < seconds < 1e6 else _DEFAULT_SECONDS


def _trust(authorities: str, certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities or None)
    if certificate:
        context.load_cert_chain(certificate, key or None)
    return context
