"""The response to each outcome of a flow: the second table of the specification.

:mod:`crossgate.policy.flow` finds the outcome of a request; the tables here give the response to it. The
engine, both middlewares and the compiler read them. A new header on allowed preflights is one line in
:data:`_ALLOWED_PREFLIGHT`.

The value of a header depends on the policy. One that is copied from the request is a :class:`Reflected`: the
middleware copies it, and Envoy does so with ``%REQ(…)%``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from crossgate.policy import names
from crossgate.policy.decision import Flow, Outcome, Reason
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.server_cors import ALWAYS_SUPPORTED, ServerPolicy

Policy = EffectivePolicy | ServerPolicy | None
"""What decides a request; None is an API without a policy."""


class Reflected(NamedTuple):
    """A value that is copied from a request header. If the request has none, the header is left out."""

    header: str
    """The name of the request header."""


HeaderTemplate = tuple[str, str | Reflected]
"""The name and the value of a response header."""


@dataclass(frozen=True, slots=True)
class ResponseTemplate:
    """The response to all requests with one outcome; reflected headers are filled in per request."""

    status: int | None
    """The status of Crossgate's own response; None if the request is forwarded."""
    body: str = ""
    headers: tuple[HeaderTemplate, ...] = ()
    """Without ``Vary``. A forwarded request's response gets them too, errors included."""
    vary: bool = False
    """Whether ``Vary`` names ``Origin``."""
    strip: bool = False
    """Whether the ``Access-Control-*`` headers of the native service are removed."""

    @property
    def forwarded(self) -> bool:
        """Whether the request is forwarded to the native service."""
        return self.status is None

    @property
    def reflects(self) -> tuple[tuple[str, str], ...]:
        """The response headers with a reflected value, each with the request header that it copies."""
        return tuple((name, value.header) for name, value in self.headers if isinstance(value, Reflected))


FORWARDED_UNCHANGED: Final = ResponseTemplate(None)
"""The request is forwarded, and the response returned, as it is."""


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    """What the responses under a policy depend on. Policies with other origins may share it."""

    any_origin: bool = False
    credentials: bool = False
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds; None if it is not sent."""
    vary: bool = False
    observes: bool = False
    """Decisions are recorded, and requests forwarded unchanged, malformed ones excepted."""
    server_level: bool = False

    @classmethod
    def of(cls, policy: Policy) -> ResponseSettings:
        """The settings of a policy of either level, or of none."""
        match policy:
            case EffectivePolicy(policy=cors):
                return cls(
                    policy.origins.any_origin,
                    cors.allow_credentials,
                    cors.allowed_methods,
                    cors.allow_headers,
                    cors.expose_headers,
                    cors.max_age,
                    vary=not policy.origins.any_origin,
                    observes=policy.observes,
                )
            case ServerPolicy():
                return cls(
                    policy.origins.any_origin,
                    policy.supports_credentials,
                    policy.supported_methods,
                    (*policy.supported_headers, *ALWAYS_SUPPORTED),
                    policy.exposed_headers,
                    policy.max_age if policy.max_age >= 0 else None,
                    vary=not policy.origins.any_origin,
                    server_level=True,
                )
            case None:
                return cls()

    def outcomes(self) -> Iterable[Outcome]:
        """All outcomes under the policy."""
        return SERVER_RESPONSES if self.server_level else API_RESPONSES

    def enforces(self, outcome: Outcome) -> bool:
        """Whether the outcome's template is applied. In observe mode, only malformed requests are refused."""
        return not self.observes or outcome.flow is Flow.MALFORMED


_Header = tuple[str, Callable[[ResponseSettings], str | Reflected | None]]
"""A header's name, and its value under a policy; None or an empty list of names leaves the header out."""


def _listed(values: tuple[str, ...]) -> str | None:
    return ", ".join(values) or None


def _listed_or_reflected(values: tuple[str, ...], header: str) -> str | Reflected | None:
    return Reflected(header) if names.ANY in values else _listed(values)


_ALLOWED_ORIGIN: Final[tuple[_Header, ...]] = (
    (names.ALLOW_ORIGIN, lambda policy: names.ANY if policy.any_origin else Reflected(names.ORIGIN)),
    (names.ALLOW_CREDENTIALS, lambda policy: "true" if policy.credentials else None),
)
_ALLOWED_REQUEST: Final[tuple[_Header, ...]] = (
    *_ALLOWED_ORIGIN,
    (names.EXPOSE_HEADERS, lambda policy: _listed(policy.exposed)),
)
# An HTTP cache may return the response to a request without Origin to a script of another origin. Under the
# origin * no Vary prevents that (Fetch, "CORS protocol and HTTP caches").
_WITHOUT_ORIGIN: Final[tuple[_Header, ...]] = (
    (names.ALLOW_ORIGIN, lambda policy: names.ANY if policy.any_origin else None),
    (names.EXPOSE_HEADERS, lambda policy: _listed(policy.exposed) if policy.any_origin else None),
)
_ALLOWED_PREFLIGHT: Final[tuple[_Header, ...]] = (
    *_ALLOWED_ORIGIN,
    (names.ALLOW_METHODS, lambda policy: _listed_or_reflected(policy.methods, names.REQUEST_METHOD)),
    (names.ALLOW_HEADERS, lambda policy: _listed_or_reflected(policy.headers, names.REQUEST_HEADERS)),
    (names.MAX_AGE, lambda policy: None if policy.max_age is None else str(policy.max_age)),
)


def _allowed_methods(policy: ResponseSettings) -> str:
    """Never left out: a 405 must have ``Allow``, empty if no method is allowed (RFC 9110, section 15.5.6)."""
    return ", ".join(names.SCRIPT_METHODS if names.ANY in policy.methods else policy.methods)


_ALLOW: Final[_Header] = (names.ALLOW, _allowed_methods)
_ALLOW_FORWARDED: Final[_Header] = (names.ALLOW, lambda _: ", ".join(names.FORWARDED_METHODS))

METHOD_NOT_ALLOWED: Final = "Method Not Allowed"
ORIGIN_NOT_ALLOWED: Final = "Specified Origin is not allowed"


class _Row(NamedTuple):
    status: int | None
    body: str
    headers: tuple[_Header, ...]
    unchanged: bool = False


def _answer(status: int, body: str, *headers: _Header) -> _Row:
    return _Row(status, body, headers)


def _forward(*headers: _Header) -> _Row:
    return _Row(None, "", headers)


_FORWARD_UNCHANGED: Final = _Row(None, "", (), unchanged=True)

_Table = Mapping[Outcome, _Row]

_MALFORMED: Final[_Table] = {
    Outcome(Flow.MALFORMED, Reason.PATH_MALFORMED): _answer(400, "Dot segment in the path"),
    Outcome(Flow.MALFORMED, Reason.METHOD_FORBIDDEN): _answer(405, METHOD_NOT_ALLOWED, _ALLOW_FORWARDED),
    Outcome(Flow.MALFORMED, Reason.HOST_MALFORMED): _answer(400, "Malformed Host"),
}

API_RESPONSES: Final[_Table] = {
    **_MALFORMED,
    Outcome(Flow.PASS_THROUGH, Reason.NO_POLICY): _FORWARD_UNCHANGED,
    Outcome(Flow.NO_ORIGIN, Reason.NO_ORIGIN): _forward(*_WITHOUT_ORIGIN),
    Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED): _answer(403, ORIGIN_NOT_ALLOWED),
    Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED): _forward(*_ALLOWED_REQUEST),
    Outcome(Flow.NO_ORIGIN, Reason.PLAIN_OPTIONS): _forward(*_WITHOUT_ORIGIN),
    Outcome(Flow.CORS_REQUEST, Reason.PLAIN_OPTIONS): _forward(*_ALLOWED_REQUEST),
    Outcome(Flow.PREFLIGHT, Reason.ORIGIN_MISSING): _answer(405, METHOD_NOT_ALLOWED, _ALLOW),
    Outcome(Flow.PREFLIGHT, Reason.ORIGIN_REFUSED): _answer(403, ORIGIN_NOT_ALLOWED),
    Outcome(Flow.PREFLIGHT, Reason.METHOD_MISSING): _answer(405, METHOD_NOT_ALLOWED, _ALLOW),
    Outcome(Flow.PREFLIGHT, Reason.METHOD_REFUSED): _answer(405, METHOD_NOT_ALLOWED, _ALLOW),
    Outcome(Flow.PREFLIGHT, Reason.HEADER_REFUSED): _answer(403, "Header Not Supported"),
    Outcome(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED): _answer(200, "", *_ALLOWED_PREFLIGHT),
}
"""The responses under the policy of an API, and without one."""

SERVER_RESPONSES: Final[_Table] = {
    **_MALFORMED,
    Outcome(Flow.NO_ORIGIN, Reason.NO_ORIGIN): _forward(*_WITHOUT_ORIGIN),
    **{
        Outcome(flow, reason): _answer(403, body)
        for flow in (Flow.PREFLIGHT, Flow.CORS_REQUEST)
        for reason, body in (
            (Reason.HOST_REFUSED, "Specified Host is not allowed"),
            (Reason.ORIGIN_REFUSED, ORIGIN_NOT_ALLOWED),
            (Reason.METHOD_REFUSED, "Method not supported"),
            (Reason.HEADER_REFUSED, "Header not supported"),
        )
    },
    Outcome(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED): _forward(*_ALLOWED_REQUEST),
    Outcome(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED): _answer(200, "", *_ALLOWED_PREFLIGHT),
}
"""The responses under server-level CORS."""


def response_template(settings: ResponseSettings, outcome: Outcome) -> ResponseTemplate:
    """The response to the outcome where the policy is enforced (:meth:`ResponseSettings.enforces`)."""
    row = (SERVER_RESPONSES if settings.server_level else API_RESPONSES)[outcome]
    if row.unchanged:
        return FORWARDED_UNCHANGED
    values = ((name, value(settings)) for name, value in row.headers)
    headers = tuple((name, value) for name, value in values if value is not None)
    # Under the origin *, responses depend on Origin only where its value is not an origin.
    vary = settings.vary or outcome.reason is Reason.ORIGIN_REFUSED
    if settings.observes and outcome.flow is Flow.MALFORMED:
        vary = False  # All other responses are returned as they are, so none names Origin in Vary.
    return ResponseTemplate(row.status, row.body, headers, vary=vary, strip=row.status is None)
