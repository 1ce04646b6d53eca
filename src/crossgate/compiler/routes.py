"""The leaves of a flow: one route for each way in which a decision can end.

A route's name is who speaks and the decision's reason, ``petstore/1.0 origin-refused``, so that whatever
counts or logs routes knows which policy spoke, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher

from crossgate.catalogue.model import Api
from crossgate.compiler.matching import literal
from crossgate.compiler.naming import cluster_name
from crossgate.compiler.protobuf import seconds
from crossgate.compiler.responses import (
    HEADER_MUTATION,
    answer,
    precedence,
    reflected,
    setting,
    varying,
    verbatim,
)
from crossgate.policy.decision import Header, Reason


@dataclass(frozen=True, slots=True)
class Leaves:
    """Makes the routes of one flow: for which requests, on whose behalf, and where they are forwarded to."""

    speaker: str
    """The API whose policy speaks, or the server."""
    match: RouteMatch
    action: RouteAction
    request_headers: tuple[Header, ...] = ()
    """Set on what is forwarded, in Envoy's format strings."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str) -> Leaves:
        """The leaves of an API's flow under one of its endpoints."""
        forwarded = (
            ("x-forwarded-host", reflected(":AUTHORITY")),
            ("x-forwarded-prefix", verbatim(endpoint)),
        )
        return cls(api.key, RouteMatch(path_separated_prefix=endpoint), _to_native(api, endpoint), forwarded)

    def passed(self, reason: Reason) -> Route:
        """Forwarded, and the answer left as it comes."""
        return Route(
            name=self._name(reason),
            match=self.match,
            route=self.action,
            request_headers_to_add=[setting(*header) for header in self.request_headers],
        )

    def observed(self, reason: Reason) -> Route:
        """Forwarded as by :meth:`passed`, and counted under the reason that enforcing would have given."""
        route = self.passed(reason)
        route.stat_prefix = f"observe.{reason.value}"
        return route

    def forwarded(self, reason: Reason, headers: tuple[Header, ...], *, vary: bool) -> Route:
        """Forwarded; the gateway takes precedence in the answer's headers."""
        route = self.passed(reason)
        route.typed_per_filter_config[HEADER_MUTATION].CopyFrom(precedence(headers, vary=vary))
        return route

    def answered(
        self, reason: Reason, status: int, body: str, headers: tuple[Header, ...], *, vary: bool
    ) -> Route:
        """Answered by the gateway; the native service never hears of it."""
        route = Route()
        route.CopyFrom(_answering(status, body, headers, vary=vary))
        route.name = self._name(reason)
        route.match.CopyFrom(self.match)
        return route

    def _name(self, reason: Reason) -> str:
        return f"{self.speaker} {reason.value}"


@lru_cache(maxsize=256)
def _answering(status: int, body: str, headers: tuple[Header, ...], *, vary: bool) -> Route:
    """What a route that answers has in common with those of other APIs: all but its name and its path."""
    options = [setting(*header) for header in headers]
    return Route(
        direct_response=answer(status, body),
        response_headers_to_add=[*options, varying()] if vary else options,
    )


def _to_native(api: Api, endpoint: str) -> RouteAction:
    base = api.native.base_path
    # A prefix rewrite to "/" would send "//pets" upstream, hence the expression.
    pattern = f"^{literal(endpoint)}" + ("" if base else "/?")
    return RouteAction(
        cluster=cluster_name(api.key),
        timeout=seconds(api.native_timeout),
        host_rewrite_literal=api.native.authority,
        regex_rewrite=RegexMatchAndSubstitute(
            pattern=RegexMatcher(regex=pattern), substitution=(base or "/").replace("\\", "\\\\")
        ),
    )
