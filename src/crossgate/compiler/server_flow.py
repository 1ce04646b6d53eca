"""Server-level CORS as an ordered list of routes, in front of all APIs and in its own dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from crossgate.compiler.conditions import Condition, Conditions, differs, equals, matches_not
from crossgate.compiler.headers import LOOKUP_HEADER, SERVER_CORS_PASSED, escape, request_header, set_header
from crossgate.compiler.names import INTERNAL_NAME, SERVER_ROUTES_NAME
from crossgate.compiler.origins import ByOrigin, route_by_origin
from crossgate.compiler.preflight_conditions import (
    header_refusals,
    method_named,
    method_refusals,
    none_of,
    without_case,
)
from crossgate.compiler.protobuf import resource, seconds, serialise
from crossgate.compiler.resource import Resource
from crossgate.compiler.routes import RouteOwner
from crossgate.compiler.steps import RouteEffect, RouteStep, answered, each, forwarded, under
from crossgate.policy import Reason, ServerPolicy, names
from crossgate.policy.decision import ORIGIN_NOT_ALLOWED, Header
from crossgate.policy.server_level import (
    ALWAYS_SUPPORTED,
    CONTENT_TYPE,
    HEADER_NOT_SUPPORTED,
    HOST_NOT_ALLOWED,
    METHOD_NOT_SUPPORTED,
    SIMPLE_CONTENT_TYPES,
)

_BODIES: Final = {
    Reason.HOST_REFUSED: HOST_NOT_ALLOWED,
    Reason.METHOD_REFUSED: METHOD_NOT_SUPPORTED,
    Reason.HEADER_REFUSED: HEADER_NOT_SUPPORTED,
}


def compile_server_flow(policy: ServerPolicy) -> Resource:
    """The route configuration that judges every request, then hands it on to the look-up of its API."""
    # The APIs' own routes keep the time.
    onward = Route(
        route=RouteAction(cluster=INTERNAL_NAME, timeout=seconds(0)),
        request_headers_to_add=[set_header(LOOKUP_HEADER, SERVER_CORS_PASSED)],
    )
    server = RouteOwner("server", serialise(RouteMatch(prefix="/")), serialise(onward))
    flow = _ServerFlow(policy)
    routing = route_by_origin(policy.origins, policy.public_origins, flow.by_origin(), server)
    routing = routing.preceded_by(*server.refuse_malformed(vary=bool(policy.vary)))
    routes = RouteConfiguration(name=SERVER_ROUTES_NAME)
    host = routes.virtual_hosts.add(name=SERVER_ROUTES_NAME, domains=["*"])
    host.MergeFromString(routing.virtual_host_fields())
    return resource(SERVER_ROUTES_NAME, routes)


@dataclass(frozen=True, slots=True)
class _ServerFlow:
    policy: ServerPolicy

    def by_origin(self) -> ByOrigin:
        return ByOrigin(
            absent=[RouteStep((), self._forwarded(Reason.NO_ORIGIN, ()))],
            before=each(self._other_hosts(), self._refused(Reason.HOST_REFUSED)),
            refused=self._refused(Reason.ORIGIN_REFUSED),
            admitted=[
                *under((equals(":method", "OPTIONS"), method_named()), self._preflight()),
                *self._request(),
            ],
        )

    def _other_hosts(self) -> list[Conditions]:
        return [(differs(":authority", self.policy.host),)] if self.policy.host else []

    def _preflight(self) -> list[RouteStep]:
        headers = (*self.policy.supported_headers, *ALWAYS_SUPPORTED)
        return [
            *each(method_refusals(self.policy.supported_methods), self._refused(Reason.METHOD_REFUSED)),
            *each(header_refusals(headers), self._refused(Reason.HEADER_REFUSED)),
            RouteStep((), self._allowed()),
        ]

    def _request(self) -> list[RouteStep]:
        exposed = escape(", ".join(self.policy.exposed_headers))
        expose = ((names.EXPOSE_HEADERS, exposed),) if exposed else ()
        unsupported = none_of(":method", self.policy.supported_methods)
        steps = [RouteStep((unsupported,), self._refused(Reason.METHOD_REFUSED))]
        if not self.policy.header_names.admit(CONTENT_TYPE):
            steps.append(RouteStep((_content_type_refused(),), self._refused(Reason.HEADER_REFUSED)))
        admitted = self._forwarded(Reason.ORIGIN_ALLOWED, (*self._origin_headers(), *expose))
        return [*steps, RouteStep((), admitted)]

    def _forwarded(self, reason: Reason, headers: tuple[Header, ...]) -> RouteEffect:
        return forwarded(reason, headers, vary=bool(self.policy.vary))

    def _refused(self, reason: Reason) -> RouteEffect:
        body = _BODIES.get(reason, ORIGIN_NOT_ALLOWED)
        return answered(reason, 403, body, (), vary=bool(self.policy.vary))

    def _allowed(self) -> RouteEffect:
        policy = self.policy
        max_age = ((names.MAX_AGE, str(policy.max_age)),) if policy.max_age >= 0 else ()
        headers = (
            *self._origin_headers(),
            (names.ALLOW_METHODS, escape(", ".join(policy.supported_methods))),
            (names.ALLOW_HEADERS, escape(", ".join((*policy.supported_headers, *ALWAYS_SUPPORTED)))),
            *max_age,
        )
        return answered(Reason.PREFLIGHT_ALLOWED, 200, "", headers, vary=bool(policy.vary))

    def _origin_headers(self) -> tuple[Header, ...]:
        origin = names.ANY if self.policy.origins.any_origin else request_header(names.ORIGIN)
        if self.policy.supports_credentials:
            return (names.ALLOW_ORIGIN, origin), (names.ALLOW_CREDENTIALS, "true")
        return ((names.ALLOW_ORIGIN, origin),)


def _content_type_refused() -> Condition:
    """Whether there is a Content-Type that no form can send."""
    simple = "|".join(without_case(media_type) for media_type in SIMPLE_CONTENT_TYPES)
    return matches_not(CONTENT_TYPE, rf"[ \t]*(?:{simple})?[ \t]*(?:;\C*)?")
