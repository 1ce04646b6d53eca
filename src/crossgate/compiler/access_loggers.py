"""How Envoy counts decisions, reports requests to the control plane, and writes an access log.

All of it is access logging, at the end of a request: three kinds of loggers, each behind a filter. They know
a decision by the name of its route, see :mod:`crossgate.compiler.route_names`.

**Counters.** One counter for each name of a route, and OPTIONS requests apart. Nothing else may become a
label: each value is a statistic for the life of the process. It must live as long: the control plane takes a
value that begins again for one that it knows.

**Reported requests.** Requests go one by one to the control plane, as many as token buckets admit, see
:mod:`crossgate.compiler.token_buckets`. A filter consumes a token when it is evaluated, so buckets are last.
Browsers send ``Sec-Fetch-Mode``, most scripts do not: each have a bucket, so that a flood of scripts does not
displace what browsers are refused.

**Drawn requests.** What a bucket admits is not a fair sample: it fills while a flood waits for its answers,
so clients that do not wait in step are admitted more often. So one of 32 requests is drawn besides, by
chance alone, and what the buckets denied is estimated from those.

**Whose 403 it is.** A native service may answer 403 or 405 too. A route that forwards removes
``x-crossgate-path`` from the request, or with server-level CORS sets it to ``passed``; a route that answers
leaves it alone. So the header tells them apart when the request has ended.

**Observed refusals** are forwarded, and have any status. Their routes set dynamic metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from envoy.config.accesslog.v3.accesslog_pb2 import (
    AccessLog,
    AccessLogFilter,
    AndFilter,
    ComparisonFilter,
    ExtensionFilter,
    HeaderFilter,
    MetadataFilter,
    NotHealthCheckFilter,
    OrFilter,
    RuntimeFilter,
    StatusCodeFilter,
)
from envoy.config.core.v3.base_pb2 import RuntimeUInt32
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.grpc_service_pb2 import GrpcService
from envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString
from envoy.config.route.v3.route_components_pb2 import HeaderMatcher
from envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog
from envoy.extensions.access_loggers.filters.process_ratelimit.v3.process_ratelimit_pb2 import (
    DynamicTokenBucket,
    ProcessRateLimitFilter,
)
from envoy.extensions.access_loggers.grpc.v3.als_pb2 import CommonGrpcAccessLogConfig, HttpGrpcAccessLogConfig
from envoy.extensions.filters.http.header_to_metadata.v3.header_to_metadata_pb2 import (
    Config as HeaderToMetadata,
)
from envoy.type.matcher.v3.metadata_pb2 import MetadataMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.matcher.v3.value_pb2 import ValueMatcher
from envoy.type.v3.percent_pb2 import FractionalPercent
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from crossgate.catalogue.model import Gateway
from crossgate.catalogue.telemetry import AccessLog as AccessLogSettings
from crossgate.catalogue.telemetry import LoggedRequests
from crossgate.compiler.conditions import differs, equals, matches, matches_not
from crossgate.compiler.headers import LOOKUP_HEADER, SERVER_CORS_PASSED, request_header
from crossgate.compiler.names import CONTROL_PLANE_CLUSTER
from crossgate.compiler.protobuf import pack, seconds
from crossgate.compiler.route_names import DECISIONS_OF_OPTIONS, DECISIONS_OF_OTHERS
from crossgate.compiler.stats_logger import count_routes
from crossgate.compiler.token_buckets import (
    ALLOWED,
    DRAW_ONE_OF,
    DRAWN_ALLOWED,
    DRAWN_LOG,
    DRAWN_REFUSALS,
    REFUSALS,
    REFUSALS_OF_BROWSERS,
)
from crossgate.policy.names import ORIGIN, REQUEST_HEADERS, REQUEST_METHOD

HEADER_TO_METADATA: Final = "envoy.filters.http.header_to_metadata"
_STATS: Final = "envoy.access_loggers.stats"
_METADATA: Final = "crossgate"
_OBSERVED: Final = "observed"
_NEVER: Final = "crossgate.never"
"""A runtime key that is never set: filters on a status must name one."""
_NOT_READY_PATH: Final = AccessLogFilter(not_health_check_filter=NotHealthCheckFilter())
_SEC_FETCH_MODE: Final = "sec-fetch-mode"

REPORTED_HEADERS: Final = (
    # The log itself has a number for usual methods, and nothing for others.
    ":method",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "sec-fetch-site",
    _SEC_FETCH_MODE,
    "sec-fetch-dest",
)
"""The request headers that the control plane gets; the log has the user agent besides."""

_LINE: Final[Mapping[str, str | bool]] = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "decision": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:PATH)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
}
_QUOTED_HEADERS: Final = {
    "request_id": "x-request-id",
    "origin": ORIGIN,
    "requested_method": REQUEST_METHOD,
    "requested_headers": REQUEST_HEADERS,
}
"""Values of the client, or the id of a trusted proxy.

Envoy percent-encodes paths, and refuses methods that are no token.
"""
_PRINTABLE: Final = r"[\t -~]*"


def access_loggers(gateway: Gateway, *, server_level: bool) -> list[AccessLog]:
    """The loggers of a manager that faces clients; with ``server_level`` it enforces server-level CORS."""
    requests = _Requests(server_level=server_level)
    loggers = []
    if gateway.telemetry.enabled:
        loggers += [
            _counters(DECISIONS_OF_OPTIONS, _header(equals(":method", "OPTIONS")), gateway),
            _counters(DECISIONS_OF_OTHERS, _header(differs(":method", "OPTIONS")), gateway),
            _reports(requests),
            _drawn(requests),
        ]
    if gateway.access_log is not None:
        loggers += _files(gateway.access_log, requests, gateway)
    return loggers


def keep_counters() -> list[AccessLog]:
    """Loggers that count nothing, and keep the counters of a process while no manager counts."""
    return [
        _logger(_STATS, count_routes(one), _status(1)) for one in (DECISIONS_OF_OPTIONS, DECISIONS_OF_OTHERS)
    ]


def mark_observed() -> Mapping[str, Any]:
    """The filter settings of a route whose requests observe mode forwards and ``enforce`` would refuse."""
    always = HeaderToMetadata.Rule(
        header=":method",
        on_header_present=HeaderToMetadata.KeyValuePair(
            metadata_namespace=_METADATA, key=_OBSERVED, value="yes", type=HeaderToMetadata.STRING
        ),
    )
    return {HEADER_TO_METADATA: pack(HeaderToMetadata(request_rules=[always]))}


def _counters(prefix: str, method: AccessLogFilter, gateway: Gateway) -> AccessLog:
    """The counters of decisions of requests with such a method."""
    # Load balancers that ask for the readiness path are not a decision.
    counted = _and(method, _NOT_READY_PATH) if gateway.ready_path else method
    return _logger(_STATS, count_routes(prefix), counted)


def _reports(requests: _Requests) -> AccessLog:
    """The stream of requests to the control plane."""
    of_browsers = _header(HeaderMatcher(name=_SEC_FETCH_MODE, present_match=True))
    of_others = _header(HeaderMatcher(name=_SEC_FETCH_MODE, present_match=True, invert_match=True))
    admitted = _or(_and(of_browsers, _bucket(REFUSALS_OF_BROWSERS)), _and(of_others, _bucket(REFUSALS)))
    return _stream(
        "decisions",
        _or(_and(requests.refused(403, 405), admitted), _and(*requests.allowed(), _bucket(ALLOWED))),
    )


def _drawn(requests: _Requests) -> AccessLog:
    """The stream of requests that are drawn at random, whether or not a bucket of the other admits them."""
    chance = FractionalPercent(numerator=1_000_000 // DRAW_ONE_OF, denominator=FractionalPercent.MILLION)
    draw = AccessLogFilter(
        runtime_filter=RuntimeFilter(
            runtime_key=_NEVER, percent_sampled=chance, use_independent_randomness=True
        )
    )
    refused = _and(requests.refused(403, 405), _bucket(DRAWN_REFUSALS))
    return _stream(DRAWN_LOG, _and(draw, _or(refused, _and(*requests.allowed(), _bucket(DRAWN_ALLOWED)))))


def _stream(log_name: str, selected: AccessLogFilter) -> AccessLog:
    config = HttpGrpcAccessLogConfig(
        common_config=CommonGrpcAccessLogConfig(
            log_name=log_name,
            transport_api_version=ApiVersion.V3,
            grpc_service=GrpcService(
                envoy_grpc=GrpcService.EnvoyGrpc(cluster_name=CONTROL_PLANE_CLUSTER),
            ),
            buffer_size_bytes=UInt32Value(value=64 * 1024),
            buffer_flush_interval=seconds(1),
        ),
        additional_request_headers_to_log=REPORTED_HEADERS,
    )
    return _logger("envoy.access_loggers.http_grpc", config, selected)


def _files(log: AccessLogSettings, requests: _Requests, gateway: Gateway) -> list[AccessLog]:
    """The access log. Envoy escapes control characters in it, but not those that reverse what follows.

    So lines with a value outside of printable ASCII are written without these values.
    """
    selected = []
    if log.requests is LoggedRequests.REFUSALS:
        selected.append(requests.refused(400, 403, 405))
    elif gateway.ready_path:
        selected.append(_NOT_READY_PATH)
    printable = [_header(matches(name, _PRINTABLE)) for name in _QUOTED_HEADERS.values()]
    unprintable = [_header(matches_not(name, _PRINTABLE)) for name in _QUOTED_HEADERS.values()]
    quoted = {key: request_header(name) for key, name in _QUOTED_HEADERS.items()}
    return [
        _file(log, _and(*selected, *printable), {**_LINE, **quoted}),
        _file(
            log,
            _and(*selected, _or(*unprintable)) if selected else _or(*unprintable),
            {**_LINE, "unprintable": True},
        ),
    ]


def _file(log: AccessLogSettings, selected: AccessLogFilter, line: Mapping[str, str | bool]) -> AccessLog:
    form = Struct()
    form.update(line)
    config = FileAccessLog(path=log.file, log_format=SubstitutionFormatString(json_format=form))
    return _logger("envoy.access_loggers.file", config, selected)


_PATH: Final = [MetadataMatcher.PathSegment(key=_OBSERVED)]
_IS_OBSERVED: Final = AccessLogFilter(
    metadata_filter=MetadataFilter(
        matcher=MetadataMatcher(filter=_METADATA, path=_PATH, value=ValueMatcher(present_match=True)),
        match_if_key_not_found=BoolValue(value=False),
    )
)
# Envoy 1.40 ignores `invert` here. So: missing, or a value that no route sets.
_IS_NOT_OBSERVED: Final = AccessLogFilter(
    metadata_filter=MetadataFilter(
        matcher=MetadataMatcher(
            filter=_METADATA, path=_PATH, value=ValueMatcher(string_match=StringMatcher(exact="no"))
        ),
        match_if_key_not_found=BoolValue(value=True),
    )
)


class _Requests:
    """Filters on what became of a request."""

    def __init__(self, *, server_level: bool) -> None:
        if server_level:
            self._answered = _header(differs(LOOKUP_HEADER, SERVER_CORS_PASSED))
            self._forwarded = _header(equals(LOOKUP_HEADER, SERVER_CORS_PASSED))
        else:
            self._answered = _header(HeaderMatcher(name=LOOKUP_HEADER, present_match=True))
            self._forwarded = _header(
                HeaderMatcher(name=LOOKUP_HEADER, present_match=True, invert_match=True)
            )

    def refused(self, *statuses: int) -> AccessLogFilter:
        """Refused with one of these, or only observed."""
        return _or(_and(_or(*map(_status, statuses)), self._answered), _IS_OBSERVED)

    def allowed(self) -> tuple[AccessLogFilter, ...]:
        """Requests with an ``Origin`` that were forwarded, or are preflights that were answered."""
        from_page = _header(HeaderMatcher(name=ORIGIN, present_match=True))
        return from_page, _or(self._forwarded, _status(200)), _IS_NOT_OBSERVED


def _bucket(name: str) -> AccessLogFilter:
    source = ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)
    config = ProcessRateLimitFilter(
        dynamic_config=DynamicTokenBucket(resource_name=name, config_source=source)
    )
    return AccessLogFilter(extension_filter=ExtensionFilter(name=name, typed_config=pack(config)))


def _status(status: int) -> AccessLogFilter:
    value = RuntimeUInt32(default_value=status, runtime_key=_NEVER)
    comparison = ComparisonFilter(op=ComparisonFilter.EQ, value=value)
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=comparison))


def _header(matcher: HeaderMatcher) -> AccessLogFilter:
    return AccessLogFilter(header_filter=HeaderFilter(header=matcher))


def _and(*filters: AccessLogFilter) -> AccessLogFilter:
    return AccessLogFilter(and_filter=AndFilter(filters=filters))


def _or(*filters: AccessLogFilter) -> AccessLogFilter:
    return AccessLogFilter(or_filter=OrFilter(filters=filters))


def _logger(name: str, config: Message, selected: AccessLogFilter) -> AccessLog:
    return AccessLog(name=name, filter=selected, typed_config=pack(config))
