"""Server-level CORS as a tree of conditions, in front of all APIs and in its own dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from crossgate.compiler.inner import INNER
from crossgate.compiler.matching import (
    PRESENT,
    Branch,
    Predicate,
    all_of,
    branch,
    equals,
    equals_any,
    has_origin,
    is_not,
    leaf,
    matcher,
    matches,
)
from crossgate.compiler.origin_matcher import OriginBranches, branch_on_origin
from crossgate.compiler.private_headers import JUDGED, JUDGED_HEADER
from crossgate.compiler.protobuf import resource, seconds, serialise
from crossgate.compiler.requested import headers_admitted, headers_named, method_named, without_case
from crossgate.compiler.resource import Resource
from crossgate.compiler.responses import reflected, setting, verbatim
from crossgate.compiler.routes import Leaves
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

ROUTES_NAME: Final = "server-level-cors"

_BODIES: Final = {
    Reason.HOST_REFUSED: HOST_NOT_ALLOWED,
    Reason.METHOD_REFUSED: METHOD_NOT_SUPPORTED,
    Reason.HEADER_REFUSED: HEADER_NOT_SUPPORTED,
}


def compile_server_flow(policy: ServerPolicy) -> Resource:
    """The route configuration that judges every request, then hands it on to the look-up of its API."""
    # The APIs' own routes keep the time.
    onward = Route(
        route=RouteAction(cluster=INNER, timeout=seconds(0)),
        request_headers_to_add=[setting(JUDGED_HEADER, JUDGED)],
    )
    every = Route(match=RouteMatch(prefix="/"))
    flow = _ServerFlow(policy, Leaves("server", serialise(every), serialise(onward)))
    routes = RouteConfiguration(name=ROUTES_NAME)
    host = routes.virtual_hosts.add(name=ROUTES_NAME, domains=["*"])
    host.matcher.ParseFromString(matcher(flow.tree()))
    return resource(ROUTES_NAME, routes)


@dataclass(frozen=True, slots=True)
class _ServerFlow:
    policy: ServerPolicy
    leaves: Leaves

    def tree(self) -> Branch:
        without_origin = self._forwarded(Reason.NO_ORIGIN, ())
        is_preflight = all_of([equals(":method", "OPTIONS"), method_named()])
        judged = branch([(is_preflight, self._preflight())], self._request())
        own = self.policy.public_origins
        to = OriginBranches(judged, self._refused(Reason.ORIGIN_REFUSED), without_origin)
        by_origin = branch_on_origin(self.policy.origins, own, to)
        if not self.policy.host:
            return by_origin
        here = branch(
            [(equals(":authority", self.policy.host), by_origin)], self._refused(Reason.HOST_REFUSED)
        )
        return branch([(has_origin(own), here)], without_origin)

    def _preflight(self) -> Branch:
        methods = equals_any("access-control-request-method", self.policy.supported_methods)
        admitted = headers_admitted((*self.policy.supported_headers, *ALWAYS_SUPPORTED))
        others_named = all_of([is_not(admitted), headers_named()])
        headers = branch([(others_named, self._refused(Reason.HEADER_REFUSED))], self._allowed())
        return branch([(methods, headers)], self._refused(Reason.METHOD_REFUSED))

    def _request(self) -> Branch:
        exposed = verbatim(", ".join(self.policy.exposed_headers))
        expose = ((names.EXPOSE_HEADERS, exposed),) if exposed else ()
        admitted = self._forwarded(Reason.ORIGIN_ALLOWED, (*self._origin_headers(), *expose))
        if not self.policy.header_names.admit(CONTENT_TYPE):
            refused = self._refused(Reason.HEADER_REFUSED)
            admitted = branch([(_content_type_refused(), refused)], admitted)
        methods = equals_any(":method", self.policy.supported_methods)
        return branch([(methods, admitted)], self._refused(Reason.METHOD_REFUSED))

    def _forwarded(self, reason: Reason, headers: tuple[Header, ...]) -> Branch:
        return leaf(self.leaves.forwarded(reason, headers, vary=bool(self.policy.vary)))

    def _refused(self, reason: Reason) -> Branch:
        body = _BODIES.get(reason, ORIGIN_NOT_ALLOWED)
        return leaf(self.leaves.answered(reason, 403, body, (), vary=bool(self.policy.vary)))

    def _allowed(self) -> Branch:
        policy = self.policy
        max_age = ((names.MAX_AGE, str(policy.max_age)),) if policy.max_age >= 0 else ()
        headers = (
            *self._origin_headers(),
            (names.ALLOW_METHODS, verbatim(", ".join(policy.supported_methods))),
            (names.ALLOW_HEADERS, verbatim(", ".join((*policy.supported_headers, *ALWAYS_SUPPORTED)))),
            *max_age,
        )
        return leaf(self.leaves.answered(Reason.PREFLIGHT_ALLOWED, 200, "", headers, vary=bool(policy.vary)))

    def _origin_headers(self) -> tuple[Header, ...]:
        origin = names.ANY if self.policy.origins.any_origin else reflected(names.ORIGIN)
        if self.policy.supports_credentials:
            return (names.ALLOW_ORIGIN, origin), (names.ALLOW_CREDENTIALS, "true")
        return ((names.ALLOW_ORIGIN, origin),)


def _content_type_refused() -> Predicate:
    """Whether there is a Content-Type that no form can send."""
    simple = "|".join(without_case(media_type) for media_type in SIMPLE_CONTENT_TYPES)
    return all_of(
        [
            matches(CONTENT_TYPE, PRESENT),
            is_not(matches(CONTENT_TYPE, rf"[ \t]*(?:{simple})?[ \t]*(?:;\C*)?")),
        ]
    )
