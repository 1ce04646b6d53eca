"""An API's policy as an ordered list of routes: its flows, question by question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from crossgate.compiler.conditions import begins_with, differs, equals
from crossgate.compiler.headers import LOOKUP_HEADER, SERVER_CORS_PASSED, escape, request_header
from crossgate.compiler.origins import ByOrigin, route_by_origin
from crossgate.compiler.preflight_conditions import header_refusals, method_refusals, no_method_named
from crossgate.compiler.route_table import RouteTable
from crossgate.compiler.routes import RouteOwner
from crossgate.compiler.steps import RouteEffect, RouteStep, answered, each, forwarded, observed, passed
from crossgate.policy import EffectivePolicy, Reason, names
from crossgate.policy.decision import (
    HEADER_NOT_SUPPORTED,
    METHOD_NOT_ALLOWED,
    ORIGIN_NOT_ALLOWED,
    Header,
)

_IS_OPTIONS = equals(":method", "OPTIONS")
_IS_REQUEST = differs(":method", "OPTIONS")


def compile_flow(
    policy: EffectivePolicy | None,
    owner: RouteOwner,
    *,
    behind_server_cors: bool = False,
    vary_in_scope: bool = False,
) -> RouteTable:
    """What becomes of a request that has been found to be for this API.

    Its routes need not add to ``Vary`` if ``vary_in_scope``.

    With ``behind_server_cors`` the policy still judges what does not come from server-level CORS: requests on
    connections that were accepted before it was turned on. Envoy leaves those on the listener that it
    replaces until they are drained, and nobody would judge them otherwise.
    """
    if policy is None:
        passing = RouteTable(owner.routes([RouteStep((), passed(Reason.NO_POLICY))]))
        return passing.preceded_by(*owner.refuse_malformed(vary=False))
    vary = bool(policy.vary) and not vary_in_scope
    to = _by_origin(_Terms.of(policy, vary=vary))
    routing = route_by_origin(policy.origins, policy.public_origins, to, owner)
    routing = routing.preceded_by(*owner.refuse_malformed(vary=vary and not policy.observes))
    if not behind_server_cors:
        return routing
    # What carries the mark was found to be well-formed in front.
    mark = begins_with(LOOKUP_HEADER, f"{SERVER_CORS_PASSED}/")
    return routing.preceded_by(*owner.routes([RouteStep((mark,), passed(Reason.NO_POLICY))]))


@lru_cache(maxsize=256)
def _by_origin(terms: _Terms) -> ByOrigin:
    """The origin is asked about first, as no answer to it depends on the method: so its set is there once."""
    absent = [
        RouteStep((_IS_OPTIONS,), terms.plain_options(Reason.ORIGIN_MISSING, ())),
        RouteStep((), terms.forwarded(Reason.NO_ORIGIN, ())),
    ]
    admitted = [
        RouteStep((_IS_REQUEST,), terms.forwarded(Reason.ORIGIN_ALLOWED, terms.answer_headers())),
        RouteStep((no_method_named(),), terms.plain_options(Reason.METHOD_MISSING, terms.answer_headers())),
        *each(method_refusals(terms.methods), terms.refused(Reason.METHOD_REFUSED)),
        *each(header_refusals(terms.headers), terms.refused(Reason.HEADER_REFUSED)),
        RouteStep((), terms.allowed()),
    ]
    return ByOrigin(absent, terms.refused(Reason.ORIGIN_REFUSED), admitted)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a policy says but for its origins: thousands of APIs may have it in common."""

    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    max_age: int | None
    forwards_plain_options: bool
    observes: bool
    any_origin: bool
    vary: bool
    allow: tuple[Header, ...]

    @classmethod
    def of(cls, policy: EffectivePolicy, *, vary: bool) -> _Terms:
        written = policy.policy
        return cls(
            written.allowed_methods,
            written.allow_headers,
            written.expose_headers,
            written.allow_credentials,
            written.max_age,
            policy.forwards_plain_options,
            policy.observes,
            policy.origins.any_origin,
            vary,
            policy.allow,
        )

    def plain_options(self, refusal: Reason, headers: tuple[Header, ...]) -> RouteEffect:
        if self.forwards_plain_options:
            return self.forwarded(Reason.PLAIN_OPTIONS, headers)
        return self.refused(refusal)

    def forwarded(self, reason: Reason, headers: tuple[Header, ...]) -> RouteEffect:
        return observed(reason) if self.observes else forwarded(reason, headers, vary=self.vary)

    def refused(self, reason: Reason) -> RouteEffect:
        match reason:
            case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
                allow = tuple((name, escape(value)) for name, value in self.allow)
                return self._answered(reason, 405, METHOD_NOT_ALLOWED, allow)
            case Reason.HEADER_REFUSED:
                return self._answered(reason, 403, HEADER_NOT_SUPPORTED, ())
            case _:
                return self._answered(reason, 403, ORIGIN_NOT_ALLOWED, ())

    def allowed(self) -> RouteEffect:
        headers = (*self._origin_headers(), *self._preflight_headers())
        return self._answered(Reason.PREFLIGHT_ALLOWED, 200, "", headers)

    def answer_headers(self) -> tuple[Header, ...]:
        exposed = escape(", ".join(self.exposed))
        return (*self._origin_headers(), *(((names.EXPOSE_HEADERS, exposed),) if exposed else ()))

    def _answered(self, reason: Reason, status: int, body: str, headers: tuple[Header, ...]) -> RouteEffect:
        return observed(reason) if self.observes else answered(reason, status, body, headers, vary=self.vary)

    def _origin_headers(self) -> tuple[Header, ...]:
        origin = names.ANY if self.any_origin else request_header(names.ORIGIN)
        if self.credentials:
            return (names.ALLOW_ORIGIN, origin), (names.ALLOW_CREDENTIALS, "true")
        return ((names.ALLOW_ORIGIN, origin),)

    def _preflight_headers(self) -> tuple[Header, ...]:
        listed_methods, listed_headers = escape(", ".join(self.methods)), escape(", ".join(self.headers))
        methods = request_header(names.REQUEST_METHOD) if names.ANY in self.methods else listed_methods
        headers = request_header(names.REQUEST_HEADERS) if names.ANY in self.headers else listed_headers
        max_age = "" if self.max_age is None else str(self.max_age)
        values = ((names.ALLOW_METHODS, methods), (names.ALLOW_HEADERS, headers), (names.MAX_AGE, max_age))
        return tuple((name, value) for name, value in values if value)
