"""The flows of a policy as routes: for an API, and for the server level.

The flows are the tables of :mod:`crossgate.policy.flow`, and the responses those of
:mod:`crossgate.policy.responses`. This file adds what only Envoy needs: the conditions under which a request
fails a step, and an order of the steps that Envoy evaluates fast.

The engine chooses a flow first, and then looks at the origin. So do the routes of the server level. Those of
an API look at the origin first, and then choose the flow: then each origin set occurs once. The response is
the same, because both flows refuse an origin alike; only the name of the route does not tell the flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher

from crossgate.compiler.conditions import (
    Conditions,
    begins_with,
    differs,
    equals,
    header_refusals,
    is_none_of,
    is_same_origin,
    matches,
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
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.compiler.route_table import RouteTable
from crossgate.compiler.routes import RouteEffect, RouteOwner, RouteStep, route_effect
from crossgate.policy import EffectivePolicy, Reason, SameOrigin, ServerPolicy
from crossgate.policy.decision import Outcome
from crossgate.policy.flow import (
    CORS_REQUEST,
    MALFORMED,
    NO_ORIGIN,
    NO_POLICY,
    PREFLIGHT,
    SERVER_PREFLIGHT,
    SERVER_REQUEST,
    FlowStep,
    FlowTable,
)
from crossgate.policy.re2 import in_any_case
from crossgate.policy.request import DOT_SEGMENT_PATTERN, ECHOING_PREFIX, MALFORMED_HOST_PATTERN
from crossgate.policy.responses import ResponseSettings
from crossgate.policy.server_cors import CONTENT_TYPE, SIMPLE_CONTENT_TYPES

_IS_OPTIONS: Final = equals(":method", "OPTIONS")
_IS_NOT_OPTIONS: Final = differs(":method", "OPTIONS")
_NO_POLICY: Final = route_effect(ResponseSettings(), NO_POLICY.passed)
_PASS_THROUGH: Final = RouteStep((), _NO_POLICY)
_ALLOWED_BY_SERVER: Final = RouteStep((begins_with(LOOKUP_HEADER, f"{SERVER_CORS_PASSED}/"),), _NO_POLICY)

_FEW: Final = 3
"""Up to this number of exact origins, a list of conditions is smaller than a look-up, and as fast."""
_FEW_WITH_PATTERNS: Final = 10
"""The same for sets that also have patterns: with a look-up, the routes of allowed origins occur twice."""


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
    malformed = _malformed_steps(settings, vary_in_scope=vary_in_scope)
    if policy is None:
        return RouteTable(owner, (*malformed, _PASS_THROUGH))
    terms = _Terms(
        settings,
        policy.public_origins,
        detects_same_origin=policy.same_origin is SameOrigin.DETECT,
        vary_in_scope=vary_in_scope,
        plain_options=policy.forwards_plain_options,
    )
    table = _by_origin(policy, _api_steps(terms), owner).preceded_by(malformed)
    # Server-level CORS has already refused malformed requests.
    return table.preceded_by([_ALLOWED_BY_SERVER]) if behind_server_cors else table


def compile_server_flow(policy: ServerPolicy) -> Resource:
    """The route configuration of server-level CORS.

    It applies to all requests, and forwards those that it allows to the internal listener.
    """
    settings = ResponseSettings.of(policy)
    terms = _Terms(
        settings,
        policy.public_origins,
        detects_same_origin=policy.same_origin is SameOrigin.DETECT,
        host=policy.host,
        any_content_type=policy.header_names.admit(CONTENT_TYPE),
    )
    forward = Route(
        # The routes of the APIs have the times. An idle time here would cut what one of them allows.
        route=RouteAction(cluster=INTERNAL_NAME, timeout=seconds(0), idle_timeout=seconds(0)),
        request_headers_to_add=[set_header(LOOKUP_HEADER, SERVER_CORS_PASSED)],
    )
    server = RouteOwner(SERVER_LEVEL, "/", RouteMatch(prefix="/"), forward)
    table = _by_origin(policy, _server_steps(terms), server).preceded_by(_malformed_steps(settings))
    routes = RouteConfiguration(name=SERVER_ROUTES_NAME)
    table.put_into(routes.virtual_hosts.add(name=SERVER_ROUTES_NAME, domains=["*"]))
    return resource(SERVER_ROUTES_NAME, routes)


class _Terms(NamedTuple):
    """Everything in a policy that the steps depend on, except for its origins. Many APIs have equal terms."""

    settings: ResponseSettings
    public_origins: frozenset[str]
    detects_same_origin: bool
    vary_in_scope: bool = False
    plain_options: bool = False
    """Whether OPTIONS requests that are not preflights are forwarded."""
    host: str = ""
    any_content_type: bool = True

    def effect(self, outcome: Outcome) -> RouteEffect:
        return route_effect(self.settings, outcome, vary_in_scope=self.vary_in_scope)

    def failed(self, step: FlowStep[Any]) -> RouteEffect:
        """The effect on the requests that fail the step."""
        plain = step.plain_outcome if self.plain_options else None
        return self.effect(plain or step.outcome)


_SIMPLE_CONTENT_TYPE: Final = "|".join(map(in_any_case, SIMPLE_CONTENT_TYPES))
_OTHER_CONTENT_TYPE: Final = matches_not(CONTENT_TYPE, rf"[ \t]*(?:{_SIMPLE_CONTENT_TYPE})?[ \t]*(?:;\C*)?")
"""The request has a ``Content-Type`` that an HTML form cannot send."""

_REFUSALS: Final[Mapping[tuple[str, Reason], Callable[[_Terms], Sequence[Conditions]]]] = {
    ("host", Reason.HOST_REFUSED): lambda terms: [(differs(":authority", terms.host),)] if terms.host else [],
    ("request_method", Reason.METHOD_MISSING): lambda _: [(no_method_requested(),)],
    ("request_method", Reason.METHOD_REFUSED): lambda terms: method_refusals(terms.settings.methods),
    ("request_headers", Reason.HEADER_REFUSED): lambda terms: header_refusals(terms.settings.headers),
    ("method", Reason.METHOD_REFUSED): lambda terms: [(is_none_of(":method", terms.settings.methods),)],
    ("content_type", Reason.HEADER_REFUSED): lambda terms: (
        [] if terms.any_content_type else [(_OTHER_CONTENT_TYPE,)]
    ),
}
"""For each step after the origin, the alternatives in which a request fails it; none if it cannot fail."""

_MALFORMED: Final[Mapping[Reason, tuple[Conditions, RouteMatch | None]]] = {
    Reason.PATH_MALFORMED: ((), RouteMatch(safe_regex=RegexMatcher(regex=DOT_SEGMENT_PATTERN))),
    Reason.METHOD_FORBIDDEN: ((begins_with(":method", ECHOING_PREFIX),), None),
    Reason.HOST_MALFORMED: ((matches(":authority", MALFORMED_HOST_PATTERN),), None),
}
"""For each step of malformed requests, the conditions and the paths with which a request fails it."""


@lru_cache(maxsize=256)
def _malformed_steps(settings: ResponseSettings, *, vary_in_scope: bool = False) -> Sequence[RouteStep]:
    """The steps in front of all others, with or without a policy. They cost a request less than 1 %."""
    return [
        RouteStep(conditions, route_effect(settings, step.outcome, vary_in_scope=vary_in_scope), match)
        for step in MALFORMED
        for conditions, match in (_MALFORMED[step.outcome.reason],)
    ]


class _OriginFlow(NamedTuple):
    """The steps of the requests with an origin for which the conditions hold."""

    conditions: Conditions
    before: Sequence[RouteStep]
    """The steps before the one about the origin."""
    refused: RouteEffect
    """The effect on origins that are not allowed."""
    allowed: Sequence[RouteStep]


@dataclass(frozen=True, slots=True)
class _OriginSteps:
    """The steps of a policy by the request's origin."""

    missing: Sequence[RouteStep]
    """For requests without an origin, or from one of the gateway's public origins."""
    same_origin: Sequence[RouteStep]
    """For other same-origin requests; none if they are not detected."""
    flows: Sequence[_OriginFlow]
    """For all others. The last flow has no conditions."""


@lru_cache(maxsize=256)
def _api_steps(terms: _Terms) -> _OriginSteps:
    [origin_missing] = _before_origin(PREFLIGHT)
    without_origin = [
        RouteStep((_IS_OPTIONS,), terms.failed(origin_missing)),
        RouteStep((), terms.effect(NO_ORIGIN.passed)),
    ]
    allowed = [
        *_under((_IS_NOT_OPTIONS,), _after_origin(CORS_REQUEST, terms)),
        *_after_origin(PREFLIGHT, terms),
    ]
    return _OriginSteps(
        missing=_under((no_origin(terms.public_origins),), without_origin),
        same_origin=_under((is_same_origin(),), without_origin) if terms.detects_same_origin else (),
        flows=[_OriginFlow((), (), terms.failed(_origin_step(CORS_REQUEST)), allowed)],
    )


def _server_steps(terms: _Terms) -> _OriginSteps:
    without_origin = [RouteStep((), terms.effect(NO_ORIGIN.passed))]
    return _OriginSteps(
        missing=_under((no_origin(terms.public_origins),), without_origin),
        same_origin=_under((is_same_origin(),), without_origin) if terms.detects_same_origin else (),
        flows=[
            _server_flow((_IS_OPTIONS, method_requested()), SERVER_PREFLIGHT, terms),
            _server_flow((), SERVER_REQUEST, terms),
        ],
    )


def _server_flow(conditions: Conditions, flow: FlowTable[Any], terms: _Terms) -> _OriginFlow:
    before = [step for failing in _before_origin(flow) for step in _refusals(failing, terms)]
    return _OriginFlow(conditions, before, terms.failed(_origin_step(flow)), _after_origin(flow, terms))


def _origin_step(flow: FlowTable[Any]) -> FlowStep[Any]:
    [step] = [step for step in flow.steps if step.outcome.reason is Reason.ORIGIN_REFUSED]
    return step


def _before_origin(flow: FlowTable[Any]) -> Sequence[FlowStep[Any]]:
    return flow.steps[: flow.steps.index(_origin_step(flow))]


def _after_origin(flow: FlowTable[Any], terms: _Terms) -> list[RouteStep]:
    """The route steps of the flow for an allowed origin."""
    after = flow.steps[flow.steps.index(_origin_step(flow)) + 1 :]
    refusals = [refusal for step in after for refusal in _refusals(step, terms)]
    return [*refusals, RouteStep((), terms.effect(flow.passed))]


def _refusals(step: FlowStep[Any], terms: _Terms) -> list[RouteStep]:
    alternatives = _REFUSALS[step.looks_at, step.outcome.reason](terms)
    return _any_of(alternatives, terms.failed(step))


def _by_origin(policy: EffectivePolicy | ServerPolicy, steps: _OriginSteps, owner: RouteOwner) -> RouteTable:
    """The route table of the steps."""
    exact = tuple(sorted(policy.origins.exact - policy.public_origins))
    limit = _FEW_WITH_PATTERNS if policy.origins.by_pattern else _FEW
    few = exact if len(exact) <= limit else ()
    refusals = origin_refusals(policy.origins, few)
    of_exact, of_others = [*steps.same_origin], [*steps.missing, *steps.same_origin]
    for flow in steps.flows:
        refused = _any_of(refusals, flow.refused)
        of_exact += _under(flow.conditions, [*flow.before, *flow.allowed])
        of_others += _under(flow.conditions, [*flow.before, *refused, *flow.allowed])
    return RouteTable(owner, of_others) if few == exact else RouteTable(owner, of_others, exact, of_exact)


def _under(conditions: Conditions, steps: Iterable[RouteStep]) -> list[RouteStep]:
    """The steps, each with these conditions in addition."""
    return [RouteStep((*conditions, *step.conditions), step.effect) for step in steps]


def _any_of(alternatives: Iterable[Conditions], effect: RouteEffect) -> list[RouteStep]:
    """The effect if any of the alternatives holds."""
    return [RouteStep(conditions, effect) for conditions in alternatives]
