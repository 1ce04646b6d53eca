"""Routes: the steps of a flow, for one API or for the server level.

A route is named after its owner and its outcome: :mod:`crossgate.compiler.route_names`. So counters and logs
of routes show which policy decided, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import (
    Route,
    RouteAction,
    RouteList,
    RouteMatch,
    VirtualHost,
)
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher

from crossgate.catalogue.limits import TimeLimits
from crossgate.catalogue.model import Api
from crossgate.compiler.access_loggers import mark_observed
from crossgate.compiler.conditions import Conditions, equals_in_any_case
from crossgate.compiler.headers import (
    HEADER_MUTATION,
    add_vary,
    direct_response,
    escape,
    override_native_headers,
    request_header,
    set_header,
)
from crossgate.compiler.names import cluster_name
from crossgate.compiler.protobuf import seconds
from crossgate.compiler.route_names import route_name
from crossgate.policy.decision import Outcome
from crossgate.policy.re2 import quote
from crossgate.policy.responses import Reflected, ResponseSettings, ResponseTemplate, response_template

_IS_WEBSOCKET: Final = equals_in_any_case("upgrade", "websocket")
"""Envoy removes ``Upgrade`` from requests that are no upgrades before it looks up a route."""


class RouteEffect(NamedTuple):
    """The response for one outcome, as far as it does not depend on the route's owner."""

    outcome: Outcome
    fields: Route
    forwarded: bool
    observed: bool = False
    """Whether observe mode forwards the requests, whatever the outcome."""


@dataclass(frozen=True, slots=True)
class RouteStep:
    """The effect on requests for which all conditions hold, unless an earlier step's conditions hold."""

    conditions: Conditions
    effect: RouteEffect
    match: RouteMatch | None = None
    """The paths of the step, if they are not those of the owner."""
    route: Route = field(init=False, repr=False, compare=False)
    """The step as a route, without the fields of an owner."""

    def __post_init__(self) -> None:
        route = Route()
        route.CopyFrom(self.effect.fields)
        route.match.headers.extend(self.conditions)
        if self.match is not None:
            route.match.MergeFrom(self.match)
        object.__setattr__(self, "route", route)


def route_effect(settings: ResponseSettings, outcome: Outcome, *, vary_in_scope: bool = False) -> RouteEffect:
    """The response template of the outcome, as fields of a route.

    With ``vary_in_scope``, all routes of the scope get ``Vary`` from the scope itself.
    """
    template = response_template(settings, outcome)
    if not settings.enforces(outcome):
        refused = template.status is not None and template.status >= 400
        fields = Route(typed_per_filter_config=mark_observed()) if refused else Route()
        return RouteEffect(outcome, fields, forwarded=True, observed=True)
    return _effect(outcome, template, vary_in_scope=vary_in_scope)


# Policies that differ in one value have most templates in common.
@lru_cache(maxsize=1024)
def _effect(outcome: Outcome, template: ResponseTemplate, *, vary_in_scope: bool) -> RouteEffect:
    headers = tuple(
        (name, request_header(value.header) if isinstance(value, Reflected) else escape(value))
        for name, value in template.headers
    )
    vary = template.vary and not vary_in_scope
    if template.status is not None:
        options = [set_header(*header) for header in headers]
        fields = Route(
            direct_response=direct_response(template.status, template.body),
            response_headers_to_add=[*options, add_vary()] if vary else options,
        )
    elif template.strip:
        override = override_native_headers(headers, vary=vary)
        fields = Route(typed_per_filter_config={HEADER_MUTATION: override})
    else:
        fields = Route()
    return RouteEffect(outcome, fields, template.forwarded)


@dataclass(frozen=True, slots=True)
class RouteOwner:
    """The API, or the server level, whose policy decides: the fields that only its routes have."""

    name: str
    endpoint: str
    match: RouteMatch
    """The paths of its routes."""
    forward: Route
    """The fields of its routes that forward requests: where to, and with which headers."""
    websocket: Route | None = None
    """The same for WebSockets, if it differs: it costs a route more for each that forwards."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str, times: TimeLimits, *, prefix_in_scope: bool) -> RouteOwner:
        """An API under one of its endpoints.

        With ``prefix_in_scope``, all routes of the scope get :func:`forwarded_prefix` from the scope itself.
        """
        headers = [] if prefix_in_scope else [forwarded_prefix(endpoint)]
        forward = Route(route=_to_native(api, endpoint, times), request_headers_to_add=headers)
        websocket = None
        if times.websocket_idle not in {None, times.http_idle}:
            websocket = Route()
            websocket.CopyFrom(forward)
            websocket.route.idle_timeout.CopyFrom(seconds(times.websocket_idle))
        return cls(api.key, endpoint, RouteMatch(path_separated_prefix=endpoint), forward, websocket)

    def add_routes(self, steps: Iterable[RouteStep], to: VirtualHost | RouteList) -> None:
        """Add the steps as routes, up to the first step without conditions."""
        for step in steps:
            if step.effect.forwarded and self.websocket is not None:
                route = self._add(step, to)
                route.match.headers.append(_IS_WEBSOCKET)
                route.MergeFrom(self.websocket)
            route = self._add(step, to)
            if step.effect.forwarded:
                route.MergeFrom(self.forward)
            if step.match is None and not step.conditions:
                break

    def _add(self, step: RouteStep, to: VirtualHost | RouteList) -> Route:
        """Add the step as a route that does not forward yet."""
        route: Route = to.routes.add()
        route.CopyFrom(step.route)
        effect = step.effect
        route.name = route_name(self.name, self.endpoint, effect.outcome, observed=effect.observed)
        if step.match is None:
            route.match.MergeFrom(self.match)
        return route


def forwarded_prefix(endpoint: str) -> HeaderValueOption:
    """The request header that contains the endpoint, for the native service."""
    return set_header("x-forwarded-prefix", escape(endpoint))


def _to_native(api: Api, endpoint: str, times: TimeLimits) -> RouteAction:
    native = api.native
    action = RouteAction(
        cluster=cluster_name(native),
        host_rewrite_literal=native.authority,
        # This one would limit the whole answer.
        timeout=seconds(0),
        idle_timeout=seconds(times.http_idle),
    )
    if times.native:
        # It counts from the end of the request to the beginning of the answer. Without a condition to retry
        # on, nothing is retried.
        action.retry_policy.per_try_timeout.CopyFrom(seconds(times.native))
    if native.base_path:
        action.prefix_rewrite = native.base_path
    else:
        # A prefix rewrite to "/" would forward "//pets".
        action.regex_rewrite.CopyFrom(
            RegexMatchAndSubstitute(pattern=RegexMatcher(regex=f"^{quote(endpoint)}/?"), substitution="/")
        )
    return action
