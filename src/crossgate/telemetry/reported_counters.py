"""What Envoy's metrics service reports, and the decisions that it means.

Messages are declared here, because xds-protos has none of that service, and only as far as they are read:
`envoy.service.metrics.v3.StreamMetricsMessage` and `io.prometheus.client.MetricFamily`
(https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/metrics/v3/metrics_service.proto,
https://github.com/prometheus/client_model/blob/v0.6.2/io/prometheus/client/metrics.proto). Strings are bytes
in them, so that nothing is decoded that is not kept.

A flush has every counter that was ever used, so all that is done for each counter is done 60,000 times a
flush: names are parsed once, and what did not change is dropped here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any as Message
from typing import Final

from crossgate.compiler.route_names import (
    DECISIONS_OF_OPTIONS,
    DECISIONS_OF_OTHERS,
    DecisionSeries,
    parse_route_name,
)
from crossgate.telemetry.declared_messages import Field, Messages, declare_message

LONGEST_INCARNATION: Final = 64
_MOST: Final = 2**53
"""Above it, a counter in a floating-point number is not exact. PostgreSQL cannot sum what is much larger."""
_INCARNATION: Final = b"incarnation"
_COUNTER: Final = 0

_BYTES, _INT32, _DOUBLE = Field.TYPE_BYTES, Field.TYPE_INT32, Field.TYPE_DOUBLE
_MESSAGES: Final[Messages] = {
    "Value": {"string_value": (3, _BYTES, False)},
    "Entry": {"key": (1, _BYTES, False), "value": (2, "Value", False)},
    "Struct": {"fields": (1, "Entry", True)},
    "Node": {"id": (1, _BYTES, False), "metadata": (3, "Struct", False)},
    "Identifier": {"node": (1, "Node", False)},
    "Counter": {"value": (1, _DOUBLE, False)},
    "Metric": {"counter": (3, "Counter", False)},
    "MetricFamily": {"name": (1, _BYTES, False), "type": (3, _INT32, False), "metric": (4, "Metric", True)},
    "StreamMetricsMessage": {
        "identifier": (1, "Identifier", False),
        "envoy_metrics": (2, "MetricFamily", True),
    },
}


StreamMetricsMessage: Final = declare_message(_MESSAGES, "StreamMetricsMessage")


def reporter(message: Message) -> tuple[str, str] | None:
    """The node and the incarnation of a stream's first message; None if it names no node."""
    node = message.identifier.node
    found = [one.value.string_value for one in node.metadata.fields if one.key == _INCARNATION]
    incarnation = found[0] if found and len(found[0]) <= LONGEST_INCARNATION else b""
    name = _text(incarnation)
    return (_text(node.id), name if name.isprintable() else "") if node.id else None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class LogDeliveries:
    """What became of the requests that one Envoy process would report one by one; since it began."""

    admitted: int = 0
    """By a token bucket."""
    denied: int = 0
    """By a token bucket."""
    written: int = 0
    """Sent to the control plane, or lost with a connection that ended."""
    dropped: int = 0
    """Because the control plane read too slowly."""


_DELIVERIES: Final = {
    b"access_log.process_ratelimit.allowed": "admitted",
    b"access_log.process_ratelimit.denied": "denied",
    b"access_logs.grpc_access_log.logs_written": "written",
    b"access_logs.grpc_access_log.logs_dropped": "dropped",
}
_PREFIXES: Final[Mapping[bytes, bool]] = {
    f"{DECISIONS_OF_OPTIONS}.decisions.route.".encode(): True,
    f"{DECISIONS_OF_OTHERS}.decisions.route.".encode(): False,
}
_OURS: Final = (*_PREFIXES, *_DELIVERIES)


class ReportedCounters:
    """The counters of one Envoy process, as one stream reports them."""

    def __init__(self) -> None:
        self._values: dict[bytes, float] = {}
        self._series: dict[bytes, DecisionSeries] = {}
        self._sums: dict[DecisionSeries, int] = {}
        self._changed: set[DecisionSeries] = set()
        self._deliveries = LogDeliveries()
        self._deliveries_changed = False

    def add(self, families: Message) -> bool:
        """Take in the metrics of a message; returns whether it has the last counters of a flush.

        Envoy sends all counters before any gauge, and has some gauges always.
        """
        known = self._values.get
        for family in families:
            name = family.name
            before = known(name)
            if before is None:
                if family.type != _COUNTER:
                    return True
                if not name.startswith(_OURS):
                    continue
            for metric in family.metric:
                value = metric.counter.value
                if value != before:
                    self._set(name, value)
        return False

    def take(self) -> tuple[Mapping[DecisionSeries, int], LogDeliveries | None]:
        """The sums that changed since the last call, and the deliveries if they did."""
        changed = {series: self._sums[series] for series in self._changed}
        deliveries = self._deliveries if self._deliveries_changed else None
        self._changed.clear()
        self._deliveries_changed = False
        return changed, deliveries

    def _set(self, name: bytes, value: float) -> None:
        if not 0 <= value <= _MOST:
            return  # not the value of a counter; nor is NaN
        before, self._values[name] = self._values.get(name, 0), value
        delivery = _DELIVERIES.get(name)
        if delivery is not None:
            self._deliveries = replace(self._deliveries, **{delivery: int(value)})
            self._deliveries_changed = True
            return
        series = self._series.get(name) or self._parse(name)
        self._sums[series] = self._sums.get(series, 0) + int(value) - int(before)
        self._changed.add(series)

    def _parse(self, name: bytes) -> DecisionSeries:
        [(prefix, is_options)] = [entry for entry in _PREFIXES.items() if name.startswith(entry[0])]
        series = parse_route_name(_text(name[len(prefix) :]), is_options=is_options)
        self._series[name] = series
        return series
