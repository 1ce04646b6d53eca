"""The entries of Envoy's gRPC access log, as values: bounded, and without query strings.

https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/data/accesslog/v3/accesslog.proto
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any as Message
from typing import Final

from envoy.config.core.v3 import base_pb2

from crossgate.compiler.route_names import DecisionSeries, parse_route_name
from crossgate.compiler.token_buckets import DRAWN_LOG
from crossgate.service.refusals import CUT
from crossgate.telemetry.sampled_request import SampledRequest

_METHOD: Final = ":method"
_REQUESTED_HEADERS: Final = "access-control-request-headers"
_SHORT: Final = 128
_LONG: Final = 1024
_OPTIONS: Final = base_pb2.OPTIONS
_METHODS: Final = {
    number: name for name, number in base_pb2.RequestMethod.items() if number != base_pb2.METHOD_UNSPECIFIED
}


def sampled_requests(log_name: str, entries: Message, node: str) -> list[SampledRequest]:
    """The requests of an access log's ``HTTPAccessLogEntries``."""
    requests, drawn = [], log_name == DRAWN_LOG
    for entry in entries.log_entry:
        series = _series(entry.common_properties.route_name, entry.request.request_method == _OPTIONS)
        requests.append(_sampled(entry, series, node, drawn=drawn))
    return requests


@lru_cache(maxsize=65_536)
def _series(route_name: str, is_options: bool) -> DecisionSeries:  # noqa: FBT001 - cached by position
    return parse_route_name(route_name, is_options=is_options)


def _sampled(entry: Message, series: DecisionSeries, node: str, *, drawn: bool) -> SampledRequest:
    common, request = entry.common_properties, entry.request
    headers = request.request_headers
    return SampledRequest(
        series=series,
        node=node,
        time=common.start_time.seconds + common.start_time.nanos / 1e9,
        request_id=_cut(request.request_id, _SHORT),
        method=_METHODS.get(request.request_method) or _cut(headers.get(_METHOD, ""), _SHORT),
        path=_cut((request.original_path or request.path).partition("?")[0], _LONG),
        status=entry.response.response_code.value,
        origin=_cut(headers.get("origin", ""), _LONG),
        request_method=_cut(headers.get("access-control-request-method", ""), _SHORT),
        request_headers=_cut_list(headers.get(_REQUESTED_HEADERS, "")),
        address=_cut(common.downstream_remote_address.socket_address.address, _SHORT),
        user_agent=_cut(request.user_agent, _LONG),
        fetch_site=_cut(headers.get("sec-fetch-site", ""), _SHORT),
        fetch_mode=_cut(headers.get("sec-fetch-mode", ""), _SHORT),
        fetch_dest=_cut(headers.get("sec-fetch-dest", ""), _SHORT),
        drawn=drawn,
    )


def _cut(value: str, most: int) -> str:
    return value if len(value) <= most else value[: most - 1] + CUT


def _cut_list(value: str) -> str:
    """The mark is an element of its own, so that no name looks whole that was cut."""
    return value if len(value) <= _LONG else f"{value[: _LONG - 2].rpartition(',')[0]},{CUT}"
