"""The leaves of a flow: one route for each way in which a decision can end.

A route's name is the decision's reason; its metadata names the API, so that whatever counts or logs routes
knows which policy spoke.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from envoy.config.core.v3.base_pb2 import Metadata
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher
from google.protobuf.struct_pb2 import Struct

from crossgate.catalogue.model import Api
from crossgate.compiler.matching import literal
from crossgate.compiler.naming import cluster_name
from crossgate.compiler.protobuf import pack, seconds
from crossgate.compiler.responses import (
    HEADER_MUTATION,
    answer,
    precedence,
    setting,
    varying,
    verbatim,
)
from crossgate.policy.decision import Header, Reason

METADATA = "crossgate"


@dataclass(frozen=True, slots=True)
class Leaves:
    """Makes the routes of one flow: for which requests, on whose behalf, and where they are forwarded to."""

    speaker: str
    """The API whose policy speaks, or the server."""
    match: RouteMatch
    action: RouteAction
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """Set on what is forwarded, in Envoy's format strings."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str) -> Leaves:
        """The leaves of an API's flow under one of its endpoints."""
        forwarded = {"x-forwarded-host": "%REQ(:AUTHORITY)%", "x-forwarded-prefix": verbatim(endpoint)}
        return cls(api.key, RouteMatch(path_separated_prefix=endpoint), _to_native(api, endpoint), forwarded)

    def passed(self, reason: Reason) -> Route:
        """Forwarded, and the answer left as it comes."""
        route = self._route(reason)
        route.route.CopyFrom(self.action)
        route.request_headers_to_add.extend(
            setting(name, value) for name, value in self.request_headers.items()
        )
        return route

    def observed(self, reason: Reason) -> Route:
        """Forwarded as by :meth:`passed`, and counted under the reason that enforcing would have given."""
        route = self.passed(reason)
        route.stat_prefix = f"observe.{reason.value}"
        return route

    def forwarded(self, reason: Reason, headers: Iterable[Header], *, vary: bool) -> Route:
        """Forwarded; the gateway takes precedence in the answer's headers."""
        route = self.passed(reason)
        route.typed_per_filter_config[HEADER_MUTATION].CopyFrom(pack(precedence(headers, vary=vary)))
        return route

    def answered(
        self, reason: Reason, status: int, body: str, headers: Iterable[Header], *, vary: bool
    ) -> Route:
        """Answered by the gateway; the native service never hears of it."""
        route = self._route(reason)
        route.direct_response.CopyFrom(answer(status, body))
        route.response_headers_to_add.extend(setting(name, value) for name, value in headers)
        if vary:
            route.response_headers_to_add.append(varying())
        return route

    def _route(self, reason: Reason) -> Route:
        named = Struct()
        named.update({"api": self.speaker, "reason": reason.value})
        return Route(
            name=reason.value, match=self.match, metadata=Metadata(filter_metadata={METADATA: named})
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
