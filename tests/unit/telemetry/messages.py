"""Messages as Envoy sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any as Message

from envoy.config.core.v3 import base_pb2
from envoy.data.accesslog.v3 import accesslog_pb2
from envoy.service.accesslog.v3 import als_pb2
from google.protobuf import struct_pb2

from crossgate.telemetry.reported_counters import StreamMetricsMessage

COUNTER, GAUGE = 0, 1


def node(node_id: str = "n", incarnation: str | None = "i") -> Message:
    """What identifies an Envoy."""
    found = base_pb2.Node(id=node_id, cluster="crossgate")
    if incarnation is not None:
        found.metadata.CopyFrom(struct_pb2.Struct())
        found.metadata["incarnation"] = incarnation
        found.metadata["number"] = 7
    return found


def metrics(
    counters: Mapping[str, float], *, sender: Message | None = None, gauges: Sequence[str] = ()
) -> Message:
    """A message of the metrics service; with gauges, it is the last one of a flush."""
    message = StreamMetricsMessage()
    if sender is not None:
        message.identifier.node.MergeFromString(sender.SerializeToString())
    for name, value in counters.items():
        family = message.envoy_metrics.add(name=name.encode(), type=COUNTER)
        family.metric.add().counter.value = value
    for name in gauges:
        message.envoy_metrics.add(name=name.encode(), type=GAUGE).metric.add()
    return message


def entry(
    route: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    path: str = "/p?q=1",
    status: int = 403,
) -> Message:
    """An entry of an access log."""
    found = accesslog_pb2.HTTPAccessLogEntry()
    found.common_properties.route_name = route
    found.common_properties.start_time.FromMilliseconds(1_700_000_000_500)
    found.common_properties.downstream_remote_address.socket_address.address = "203.0.113.9"
    found.common_properties.downstream_remote_address.socket_address.port_value = 4711
    found.request.request_method = base_pb2.RequestMethod.Value(method)
    found.request.path = path
    found.request.request_id = "an-id"
    found.request.user_agent = "curl/8"
    found.request.request_headers.update(headers or {})
    found.response.response_code.value = status
    return found


def log(*entries: Message, sender: Message | None = None) -> Message:
    """A message of the access log service."""
    message = als_pb2.StreamAccessLogsMessage()
    if sender is not None:
        message.identifier.node.CopyFrom(sender)
    message.http_logs.log_entry.extend(entries)
    return message
