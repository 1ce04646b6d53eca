"""Server-level CORS: one policy above all APIs, in the dialect of the reference product's server.

Judged before any API is looked up. Unlike an API's policy it judges the method of every CORS request, names
the headers that always pass, and refuses with 403 only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from crossgate.policy import names
from crossgate.policy.decision import ORIGIN_NOT_ALLOWED, Answer, Flow, Forward, Header, Reason
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.pattern import OriginPattern
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.request_headers import HeaderNames
from crossgate.policy.ruling import Exit, Ruling, Rulings, origin_headers

METHOD_NOT_SUPPORTED: Final = "Method not supported"
HEADER_NOT_SUPPORTED: Final = "Header not supported"
HOST_NOT_ALLOWED: Final = "Specified Host is not allowed"

DEFAULT_METHODS: Final = ("OPTIONS", "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")
ALWAYS_SUPPORTED: Final = ("Accept", "Accept-Language")
CONTENT_TYPE: Final = "content-type"
SIMPLE_CONTENT_TYPES: Final = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
"""Fetch, CORS-safelisted request-header: a Content-Type of these needs no preflight."""


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """The settings under ``watt.server.cors.``, valid; read by ``server_settings``."""

    allowed_origins: tuple[OriginPattern, ...]
    supported_methods: tuple[str, ...] = DEFAULT_METHODS
    supported_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    host: str = ""
    max_age: int = -1
    """Seconds; below 0 nothing is sent."""
    supports_credentials: bool = False
    public_origins: frozenset[str] = frozenset()

    origins: OriginSet = field(init=False, repr=False, compare=False)
    header_names: HeaderNames = field(init=False, repr=False, compare=False)
    vary: tuple[Header, ...] = field(init=False, repr=False, compare=False)
    rulings: Rulings = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        origins = OriginSet.of(self.allowed_origins)
        object.__setattr__(self, "origins", origins)
        object.__setattr__(self, "header_names", HeaderNames((*self.supported_headers, *ALWAYS_SUPPORTED)))
        object.__setattr__(self, "vary", () if origins.any_origin else ((names.VARY, names.ORIGIN),))


def is_simple_content_type(value: str) -> bool:
    """Whether the media type is one that a form can send, or there is none."""
    return value.partition(";")[0].strip(" \t").lower() in ("", *SIMPLE_CONTENT_TYPES)


def exit_at_server(policy: ServerPolicy, request: Request) -> Exit:
    """Where the request leaves its flow."""
    origin = "" if request.origin in policy.public_origins else request.origin
    is_preflight = request.method == OPTIONS and request.request_method != ""
    flow = Flow.PREFLIGHT if is_preflight else Flow.CORS_REQUEST
    if not origin:
        return Flow.NO_ORIGIN, Reason.NO_ORIGIN
    if policy.host and request.host != policy.host:
        return flow, Reason.HOST_REFUSED
    if origin not in policy.origins:
        return flow, Reason.ORIGIN_REFUSED
    if (request.request_method if is_preflight else request.method) not in policy.supported_methods:
        return flow, Reason.METHOD_REFUSED
    asked = request.request_headers if is_preflight else None
    if not _headers_supported(policy, asked, request.content_type):
        return flow, Reason.HEADER_REFUSED
    return flow, Reason.PREFLIGHT_ALLOWED if is_preflight else Reason.ORIGIN_ALLOWED


def _headers_supported(policy: ServerPolicy, asked: str | None, content_type: str) -> bool:
    """In a preflight the names asked for; otherwise the one header whose value decides, Content-Type."""
    if asked is not None:
        return policy.header_names.admit(asked)
    return is_simple_content_type(content_type) or policy.header_names.admit(CONTENT_TYPE)


def ruling_of_server(policy: ServerPolicy, flow: Flow, reason: Reason) -> Ruling:
    """What server-level CORS says to the requests that leave there."""
    vary = bool(policy.vary)
    allowed = origin_headers(policy.origins, credentials=policy.supports_credentials)
    match reason:
        case Reason.HOST_REFUSED:
            return Ruling(Answer(flow, reason, 403, HOST_NOT_ALLOWED, policy.vary))
        case Reason.ORIGIN_REFUSED:
            return Ruling(Answer(flow, reason, 403, ORIGIN_NOT_ALLOWED, policy.vary))
        case Reason.METHOD_REFUSED:
            return Ruling(Answer(flow, reason, 403, METHOD_NOT_SUPPORTED, policy.vary))
        case Reason.HEADER_REFUSED:
            return Ruling(Answer(flow, reason, 403, HEADER_NOT_SUPPORTED, policy.vary))
        case Reason.PREFLIGHT_ALLOWED:
            answer = Answer(flow, reason, 200, "", policy.vary)
            return Ruling.of(answer, (*allowed, *_preflight_headers(policy)))
        case Reason.ORIGIN_ALLOWED:
            exposed = (names.EXPOSE_HEADERS, ", ".join(policy.exposed_headers))
            return Ruling.of(Forward(flow, reason, vary=vary), (*allowed, exposed))
        case _:
            return Ruling(Forward(flow, reason, vary=vary))


def _preflight_headers(policy: ServerPolicy) -> tuple[Header, ...]:
    return (
        (names.ALLOW_METHODS, ", ".join(policy.supported_methods)),
        (names.ALLOW_HEADERS, ", ".join((*policy.supported_headers, *ALWAYS_SUPPORTED))),
        (names.MAX_AGE, str(policy.max_age) if policy.max_age >= 0 else ""),
    )
