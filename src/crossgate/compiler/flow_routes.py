"""The flows of a policy as routes: for an API, and for the server level.

A flow becomes an ordered list of steps, and the first step whose conditions hold decides. The steps are
those of :mod:`crossgate.policy.flow`, in an order that Envoy evaluates fast: the origin comes first, because
no response to a refused origin depends on the method, so each origin set occurs once. Which response a step
gives, with all headers, is the template of its outcome in :mod:`crossgate.policy.responses`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from crossgate.compiler.conditions import (
    Conditions,
    begins_with,
    differs,
    equals,
    header_refusals,
    is_none_of,
    matches_not,
    method_refusals,
    method_requested,
    no_method_requested,
    no_origin,
    origin_refusals,
)
from crossgate.compiler.headers import LOOKUP_HEADER, SERVER_CORS_PASSED, set_header
from crossgate.compiler.names import INTERNAL_NAME, SERVER_ROUTES_NAME
from crossgate.compiler.protobuf import resource, seconds
from crossgate.compiler.resource import Resource
from crossgate.compiler.route_table import RouteTable
from crossgate.compiler.routes import RouteEffect, RouteOwner, RouteStep, malformed_steps, route_effect
from crossgate.policy import EffectivePolicy, Flow, Reason, ServerPolicy
from crossgate.policy.decision import Outcome
from crossgate.policy.re2 import in_any_case
from crossgate.policy.responses import ResponseSettings
from crossgate.policy.server_cors import CONTENT_TYPE, SIMPLE_CONTENT_TYPES

_NO_POLICY: Final = route_effect(ResponseSettings(), Outcome(Flow.PASS_THROUGH, Reason.NO_POLICY))
_IS_OPTIONS: Final = equals(":method", "OPTIONS")
_IS_NOT_OPTIONS: Final = differs(":method", "OPTIONS")

_FEW: Final = 3
"""Up to this number of exact origins, a list of conditions is smaller than a look-up, and as fast."""
_FEW_WITH_PATTERNS: Final = 10
"""The same number for sets that also have patterns: with a look-up, the routes of allowed origins occur
twice."""


def compile_flow(
    policy: EffectivePolicy | None,
    owner: RouteOwner,
    *,
    behind_server_cors: bool = False,
    vary_in_scope: bool = False,
) -> RouteTable:
    """The routes of an API, for requests with the API's path; see :func:`route_effect` on ``vary_in_scope``.

    With ``behind_server_cors``, the policy still applies to requests that server-level CORS has not allowed.
    Those come on connections from before it was turned on: Envoy keeps them on the replaced listener until
    they are drained, and no policy would apply to them otherwise.
    """
    settings = ResponseSettings.of(policy)
    malformed = owner.routes(malformed_steps(settings, vary_in_scope=vary_in_scope))
    if policy is None:
        return RouteTable((*malformed, *owner.routes([RouteStep((), _NO_POLICY)])))
    steps = _api_steps(settings, plain_options=policy.forwards_plain_options, vary_in_scope=vary_in_scope)
    table = _by_origin(policy, steps, owner).preceded_by(*malformed)
    if not behind_server_cors:
        return table
    # Server-level CORS has already refused malformed requests.
    allowed = begins_with(LOOKUP_HEADER, f"{SERVER_CORS_PASSED}/")
    return table.preceded_by(*owner.routes([RouteStep((allowed,), _NO_POLICY)]))


def compile_server_flow(policy: ServerPolicy) -> Resource:
    """The route configuration of server-level CORS.

    It applies to all requests, and forwards those that it allows to the internal listener.
    """
    settings = ResponseSettings.of(policy)
    forward = Route(
        # The routes of the APIs have the timeouts.
        route=RouteAction(cluster=INTERNAL_NAME, timeout=seconds(0)),
        request_headers_to_add=[set_header(LOOKUP_HEADER, SERVER_CORS_PASSED)],
    )
    server = RouteOwner("server", RouteMatch(prefix="/"), forward)
    table = _by_origin(policy, _server_steps(settings, policy), server)
    table = table.preceded_by(*server.routes(malformed_steps(settings)))
    routes = RouteConfiguration(name=SERVER_ROUTES_NAME)
    table.put_into(routes.virtual_hosts.add(name=SERVER_ROUTES_NAME, domains=["*"]))
    return resource(SERVER_ROUTES_NAME, routes)


@dataclass(frozen=True, slots=True)
class _OriginSteps:
    """The steps of a flow by the request's origin."""

    missing: Sequence[RouteStep]
    """For requests without an origin, or from one of the gateway's public origins."""
    refused: RouteEffect
    allowed: Sequence[RouteStep]
    before: Sequence[RouteStep] = ()
    """For requests from all origins, in front of ``refused`` and ``allowed``."""


@lru_cache(maxsize=256)
def _api_steps(settings: ResponseSettings, *, plain_options: bool, vary_in_scope: bool) -> _OriginSteps:
    def effect(flow: Flow, reason: Reason) -> RouteEffect:
        return route_effect(settings, Outcome(flow, reason), vary_in_scope=vary_in_scope)

    def not_preflight(flow: Flow, refusal: Reason) -> RouteEffect:
        return effect(flow, Reason.PLAIN_OPTIONS) if plain_options else effect(Flow.PREFLIGHT, refusal)

    return _OriginSteps(
        missing=[
            RouteStep((_IS_OPTIONS,), not_preflight(Flow.NO_ORIGIN, Reason.ORIGIN_MISSING)),
            RouteStep((), effect(Flow.NO_ORIGIN, Reason.NO_ORIGIN)),
        ],
        refused=effect(Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED),
        allowed=[
            RouteStep((_IS_NOT_OPTIONS,), effect(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED)),
            RouteStep((no_method_requested(),), not_preflight(Flow.CORS_REQUEST, Reason.METHOD_MISSING)),
            *_any_of(method_refusals(settings.methods), effect(Flow.PREFLIGHT, Reason.METHOD_REFUSED)),
            *_any_of(header_refusals(settings.headers), effect(Flow.PREFLIGHT, Reason.HEADER_REFUSED)),
            RouteStep((), effect(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED)),
        ],
    )


def _server_steps(settings: ResponseSettings, policy: ServerPolicy) -> _OriginSteps:
    def effect(flow: Flow, reason: Reason) -> RouteEffect:
        return route_effect(settings, Outcome(flow, reason))

    preflight = [
        *_any_of(method_refusals(settings.methods), effect(Flow.PREFLIGHT, Reason.METHOD_REFUSED)),
        *_any_of(header_refusals(settings.headers), effect(Flow.PREFLIGHT, Reason.HEADER_REFUSED)),
        RouteStep((), effect(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED)),
    ]
    other_host = [(differs(":authority", policy.host),)] if policy.host else []
    other_method = (is_none_of(":method", settings.methods),)
    content_types = [] if policy.header_names.admit(CONTENT_TYPE) else [_UNSUPPORTED_CONTENT_TYPE]
    return _OriginSteps(
        missing=[RouteStep((), effect(Flow.NO_ORIGIN, Reason.NO_ORIGIN))],
        before=_any_of(other_host, effect(Flow.CORS_REQUEST, Reason.HOST_REFUSED)),
        refused=effect(Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED),
        allowed=[
            *_under((_IS_OPTIONS, method_requested()), preflight),
            RouteStep(other_method, effect(Flow.CORS_REQUEST, Reason.METHOD_REFUSED)),
            *_any_of(content_types, effect(Flow.CORS_REQUEST, Reason.HEADER_REFUSED)),
            RouteStep((), effect(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED)),
        ],
    )


_SIMPLE_CONTENT_TYPE: Final = "|".join(map(in_any_case, SIMPLE_CONTENT_TYPES))
_UNSUPPORTED_CONTENT_TYPE: Final = (
    matches_not(CONTENT_TYPE, rf"[ \t]*(?:{_SIMPLE_CONTENT_TYPE})?[ \t]*(?:;\C*)?"),
)
"""A ``Content-Type`` that an HTML form cannot send."""


def _by_origin(policy: EffectivePolicy | ServerPolicy, steps: _OriginSteps, owner: RouteOwner) -> RouteTable:
    """The route table of the steps."""
    exact = tuple(sorted(policy.origins.exact - policy.public_origins))
    limit = _FEW_WITH_PATTERNS if policy.origins.by_pattern else _FEW
    few = exact if len(exact) <= limit else ()
    routes = owner.routes(
        [
            *_under((no_origin(policy.public_origins),), steps.missing),
            *steps.before,
            *_any_of(origin_refusals(policy.origins, few), steps.refused),
            *steps.allowed,
        ]
    )
    if few == exact:
        return RouteTable(routes)
    return RouteTable(routes, exact, owner.routes([*steps.before, *steps.allowed]))


def _under(conditions: Conditions, steps: Iterable[RouteStep]) -> list[RouteStep]:
    """The steps, each with these conditions in addition."""
    return [RouteStep((*conditions, *step.conditions), step.effect) for step in steps]


def _any_of(alternatives: Iterable[Conditions], effect: RouteEffect) -> list[RouteStep]:
    """The effect if any of the alternatives holds."""
    return [RouteStep(conditions, effect) for conditions in alternatives]
