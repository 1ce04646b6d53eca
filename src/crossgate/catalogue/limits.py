"""Limits of the gateway: times, sizes and numbers, with their defaults and bounds.

The times of native services are defaults: an API can have its own. All others hold for the whole gateway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from crossgate.record import Field, Number, Record, WholeNumber

MAX_CONNECTIONS: Final = 100_000
"""The bound of ``max_connections``, and what Envoy's bootstrap allows in all."""

_TIME: Final = Number(0.001, 86_400, or_zero=True)
_NATIVE_TIMEOUT: Final = "Seconds that a native service has to begin its answer, from the end of the request"
_NATIVE_IDLE: Final = (
    "Seconds for which nothing need flow in a request or its answer: uploads, downloads, server-sent events, "
    "WebSockets"
)
_WEBSOCKET_IDLE: Final = "The same for WebSockets alone"
_ZERO: Final = "0 for no limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a gateway; times are in seconds, and 0 means no limit where that is allowed."""

    native_timeout: float = 30.0
    native_idle_timeout: float = 300.0
    websocket_idle_timeout: float | None = None
    """None: WebSockets have ``native_idle_timeout``."""
    native_connect_timeout: float = 5.0
    native_keepalive_timeout: float = 4.0
    """Shorter than the five seconds after which many servers close an idle connection: a request at that
    moment gets a 503."""
    max_native_requests: int = 10_000
    """To one native service, from all its APIs together."""
    head_timeout: float = 10.0
    keepalive_timeout: float = 900.0
    max_head_kib: int = 64
    max_headers: int = 100
    max_connections: int = 20_000
    max_streams: int = 100


_DEFAULTS: Final = Limits()

LIMITS: Final = Record(
    "LimitsEntry",
    "Limits of the gateway: times in seconds, sizes and numbers.",
    Limits,
    (
        Field(
            "native_timeout",
            _TIME,
            f"{_NATIVE_TIMEOUT}; {_ZERO}. Later, the response is 504. APIs can have their own.",
            default=_DEFAULTS.native_timeout,
            default_doc="30",
        ),
        Field(
            "native_idle_timeout",
            _TIME,
            f"{_NATIVE_IDLE}; {_ZERO}. A stalled upload gets 408, an answer ends. APIs can have their own.",
            default=_DEFAULTS.native_idle_timeout,
            default_doc="300",
        ),
        Field(
            "websocket_idle_timeout",
            _TIME,
            f"{_WEBSOCKET_IDLE}; {_ZERO}. APIs can have their own.",
            default=None,
            default_doc="that of `native_idle_timeout`",
        ),
        Field(
            "native_connect_timeout",
            Number(0.1, 60),
            "Seconds to connect to a native service, from 0.1 to 60; later, the response is 503.",
            default=_DEFAULTS.native_connect_timeout,
            default_doc="5",
        ),
        Field(
            "native_keepalive_timeout",
            Number(0.1, 3600),
            "Seconds for which an unused connection to a native service is kept, from 0.1 to 3600. It must "
            "be shorter than the native service's own.",
            default=_DEFAULTS.native_keepalive_timeout,
            default_doc="4",
        ),
        Field(
            "max_native_requests",
            WholeNumber(1, 1_000_000),
            "Concurrent requests to one native service, from all its APIs; more get 503.",
            default=_DEFAULTS.max_native_requests,
        ),
        Field(
            "head_timeout",
            Number(1, 300),
            "Seconds for the head of a request to arrive, from 1 to 300; later, the response is 408.",
            default=_DEFAULTS.head_timeout,
            default_doc="10",
        ),
        Field(
            "keepalive_timeout",
            Number(1, 86_400),
            "Seconds for which a client's connection without a request is kept, from 1 to 86400.",
            default=_DEFAULTS.keepalive_timeout,
            default_doc="900",
        ),
        Field(
            "max_head_kib",
            WholeNumber(4, 1024),
            "Size of the head of a request (more: 431) and of a native service's answer (more: 502), in KiB, "
            "from 4 to 1024.",
            default=_DEFAULTS.max_head_kib,
        ),
        Field(
            "max_headers",
            WholeNumber(20, 1000),
            "Number of header lines in a request (more: 431) and in a native service's answer (more: 502), "
            "from 20 to 1000.",
            default=_DEFAULTS.max_headers,
        ),
        Field(
            "max_connections",
            WholeNumber(1, MAX_CONNECTIONS),
            "Connections of clients at a time; more are closed at once.",
            default=_DEFAULTS.max_connections,
        ),
        Field(
            "max_streams",
            WholeNumber(1, 1000),
            "Concurrent requests on one HTTP/2 connection; clients wait with more.",
            default=_DEFAULTS.max_streams,
        ),
    ),
)

API_TIMES: Final = (
    Field(
        "native_timeout",
        _TIME,
        f"{_NATIVE_TIMEOUT}; {_ZERO}.",
        default=None,
        default_doc="that of `gateway.limits`",
    ),
    Field(
        "native_idle_timeout",
        _TIME,
        f"{_NATIVE_IDLE}; {_ZERO}.",
        default=None,
        default_doc="that of `gateway.limits`",
    ),
    Field(
        "websocket_idle_timeout",
        _TIME,
        f"{_WEBSOCKET_IDLE}; {_ZERO}.",
        default=None,
        default_doc="that of `gateway.limits`",
    ),
)
"""The fields of an API that override the gateway's."""


class TimeLimits(NamedTuple):
    """The times that apply to one API, in seconds; 0 means no limit."""

    native: float
    idle: float
    websocket_idle: float | None
    """None if it is the same."""

    @property
    def http_idle(self) -> float:
        """For requests that are not WebSockets: the longer of both times.

        Nothing flows while a native service prepares its answer, and Envoy has one idle time for that and
        for the gaps afterwards. The shorter one would cut what the other allows.
        """
        return max(self.native, self.idle) if self.native and self.idle else 0.0
