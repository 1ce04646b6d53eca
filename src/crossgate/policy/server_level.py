"""Server-level CORS: one policy above all APIs, in the dialect of the reference product's server.

Judged before any API is looked up. Unlike an API's policy it judges the method of every CORS request, names
the headers that always pass, and refuses with 403 only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from crossgate.policy import names
from crossgate.policy.decision import ORIGIN_NOT_ALLOWED, Answer, Decision, Flow, Forward, Header, Reason
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.pattern import OriginPattern
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.request_headers import HeaderNames

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

    def __post_init__(self) -> None:
        origins = OriginSet.of(self.allowed_origins)
        object.__setattr__(self, "origins", origins)
        object.__setattr__(self, "header_names", HeaderNames((*self.supported_headers, *ALWAYS_SUPPORTED)))
        object.__setattr__(self, "vary", () if origins.any_origin else ((names.VARY, names.ORIGIN),))


def is_simple_content_type(value: str) -> bool:
    """Whether the media type is one that a form can send, or there is none."""
    return value.partition(";")[0].strip(" \t").lower() in ("", *SIMPLE_CONTENT_TYPES)


def decide_for_server(policy: ServerPolicy, request: Request) -> Decision:
    """What server-level CORS says of the request."""
    origin = "" if request.origin in policy.public_origins else request.origin
    if not origin:
        return Forward(Flow.NO_ORIGIN, Reason.NO_ORIGIN, vary=bool(policy.vary))
    is_preflight = request.method == OPTIONS and request.request_method != ""
    flow = Flow.PREFLIGHT if is_preflight else Flow.CORS_REQUEST
    if policy.host and request.host != policy.host:
        return _refuse(policy, flow, Reason.HOST_REFUSED)
    if origin not in policy.origins:
        return _refuse(policy, flow, Reason.ORIGIN_REFUSED)
    if (request.request_method if is_preflight else request.method) not in policy.supported_methods:
        return _refuse(policy, flow, Reason.METHOD_REFUSED)
    if not _headers_supported(policy, request, is_preflight=is_preflight):
        return _refuse(policy, flow, Reason.HEADER_REFUSED)
    if is_preflight:
        headers = (*_origin_headers(policy, origin), *_preflight_headers(policy), *policy.vary)
        return Answer(flow, Reason.PREFLIGHT_ALLOWED, 200, "", headers)
    exposed = ", ".join(policy.exposed_headers)
    expose = ((names.EXPOSE_HEADERS, exposed),) if exposed else ()
    headers = (*_origin_headers(policy, origin), *expose)
    return Forward(flow, Reason.ORIGIN_ALLOWED, headers, vary=bool(policy.vary))


def _headers_supported(policy: ServerPolicy, request: Request, *, is_preflight: bool) -> bool:
    """In a preflight the names asked for; otherwise the one header whose value decides, Content-Type."""
    if is_preflight:
        return policy.header_names.admit(request.request_headers)
    return is_simple_content_type(request.content_type) or policy.header_names.admit(CONTENT_TYPE)


def _refuse(policy: ServerPolicy, flow: Flow, reason: Reason) -> Answer:
    bodies = {
        Reason.HOST_REFUSED: HOST_NOT_ALLOWED,
        Reason.METHOD_REFUSED: METHOD_NOT_SUPPORTED,
        Reason.HEADER_REFUSED: HEADER_NOT_SUPPORTED,
    }
    return Answer(flow, reason, 403, bodies.get(reason, ORIGIN_NOT_ALLOWED), policy.vary)


def _origin_headers(policy: ServerPolicy, origin: str) -> tuple[Header, ...]:
    allowed = names.ANY if policy.origins.any_origin else origin
    if policy.supports_credentials:
        return (names.ALLOW_ORIGIN, allowed), (names.ALLOW_CREDENTIALS, "true")
    return ((names.ALLOW_ORIGIN, allowed),)


def _preflight_headers(policy: ServerPolicy) -> tuple[Header, ...]:
    headers = ", ".join((*policy.supported_headers, *ALWAYS_SUPPORTED))
    listed = [(names.ALLOW_METHODS, ", ".join(policy.supported_methods)), (names.ALLOW_HEADERS, headers)]
    if policy.max_age >= 0:
        listed.append((names.MAX_AGE, str(policy.max_age)))
    return tuple(listed)
