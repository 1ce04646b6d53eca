"""Routes: the steps of a flow, for one API or for the server level.

A route is named after its owner and the reason of the decision, as in ``petstore/1.0 origin-refused``. So
logs and counters of routes show which policy decided, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher

from crossgate.catalogue.model import Api
from crossgate.compiler.conditions import Conditions, begins_with, matches
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
from crossgate.policy import Flow, Reason
from crossgate.policy.decision import Outcome
from crossgate.policy.re2 import quote
from crossgate.policy.request import DOT_SEGMENT_PATTERN, ECHOING_PREFIX, MALFORMED_HOST_PATTERN
from crossgate.policy.responses import Reflected, ResponseSettings, response_template

_DOT_SEGMENT: Final = RouteMatch(safe_regex=RegexMatcher(regex=DOT_SEGMENT_PATTERN))


class RouteEffect(NamedTuple):
    """The response for one outcome, as far as it does not depend on the route's owner."""

    reason: Reason
    fields: Route
    forwarded: bool


class RouteStep(NamedTuple):
    """The effect on requests for which all conditions hold, unless an earlier step's conditions hold."""

    conditions: Conditions
    effect: RouteEffect
    match: RouteMatch | None = None
    """The paths of the step, if they are not those of the owner."""


@lru_cache(maxsize=1024)
def route_effect(settings: ResponseSettings, outcome: Outcome, *, vary_in_scope: bool = False) -> RouteEffect:
    """The response template of the outcome, as fields of a route.

    With ``vary_in_scope``, all routes of the scope get ``Vary`` from the scope itself.
    """
    reason = outcome.reason
    if not settings.enforces(outcome):
        return RouteEffect(reason, Route(stat_prefix=f"observe.{reason}"), forwarded=True)
    template = response_template(settings, outcome)
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
    return RouteEffect(reason, fields, template.forwarded)


@dataclass(frozen=True, slots=True)
class RouteOwner:
    """The API, or the server level, whose policy decides: the fields that only its routes have."""

    name: str
    match: RouteMatch
    """The paths of its routes."""
    forward: Route
    """The fields of its routes that forward requests: where to, and with which headers."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str, *, prefix_in_scope: bool) -> RouteOwner:
        """An API under one of its endpoints.

        With ``prefix_in_scope``, all routes of the scope get :func:`forwarded_prefix` from the scope itself.
        """
        headers = [] if prefix_in_scope else [forwarded_prefix(endpoint)]
        forward = Route(route=_to_native(api, endpoint), request_headers_to_add=headers)
        return cls(api.key, RouteMatch(path_separated_prefix=endpoint), forward)

    def routes(self, steps: Iterable[RouteStep]) -> tuple[Route, ...]:
        """The steps as routes, up to the first step without conditions."""
        routes = []
        for conditions, (reason, fields, forwarded), match in steps:
            route = Route(name=f"{self.name} {reason}", match=match or self.match)
            route.match.headers.extend(conditions)
            route.MergeFrom(fields)
            if forwarded:
                route.MergeFrom(self.forward)
            routes.append(route)
            if not conditions and match is None:
                break
        return tuple(routes)


@lru_cache(maxsize=256)
def malformed_steps(settings: ResponseSettings, *, vary_in_scope: bool = False) -> tuple[RouteStep, ...]:
    """The steps in front of all others: they refuse malformed requests, with or without a policy.

    Together they cost a request less than 1 %.
    """

    def refusal(reason: Reason) -> RouteEffect:
        return route_effect(settings, Outcome(Flow.MALFORMED, reason), vary_in_scope=vary_in_scope)

    forbidden = begins_with(":method", ECHOING_PREFIX)
    several_hosts = matches(":authority", MALFORMED_HOST_PATTERN)
    return (
        RouteStep((), refusal(Reason.PATH_MALFORMED), _DOT_SEGMENT),
        RouteStep((forbidden,), refusal(Reason.METHOD_FORBIDDEN)),
        RouteStep((several_hosts,), refusal(Reason.HOST_MALFORMED)),
    )


def forwarded_prefix(endpoint: str) -> HeaderValueOption:
    """The request header that contains the endpoint, for the native service."""
    return set_header("x-forwarded-prefix", escape(endpoint))


def _to_native(api: Api, endpoint: str) -> RouteAction:
    native = api.native
    action = RouteAction(
        cluster=cluster_name(native),
        host_rewrite_literal=native.authority,
        timeout=seconds(api.native_timeout),
        append_x_forwarded_host=True,
    )
    if native.base_path:
        action.prefix_rewrite = native.base_path
    else:
        # A prefix rewrite to "/" would forward "//pets".
        action.regex_rewrite.CopyFrom(
            RegexMatchAndSubstitute(pattern=RegexMatcher(regex=f"^{quote(endpoint)}/?"), substitution="/")
        )
    return action
