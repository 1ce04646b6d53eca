"""A scope: the APIs under one key, as one Envoy resource that contains their routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.config.route.v3.scoped_route_pb2 import ScopedRouteConfiguration
from google.protobuf.wrappers_pb2 import BoolValue

from crossgate.catalogue.limits import TimeLimits
from crossgate.catalogue.model import Api
from crossgate.compiler.flow_routes import compile_flow
from crossgate.compiler.headers import (
    LOOKUP_HEADER,
    UNTRUSTED_FORWARDING_HEADERS,
    add_vary,
    forwarded_host,
    upgrade_only,
)
from crossgate.compiler.names import ScopeKey, cluster_name, scope_name
from crossgate.compiler.protobuf import resource
from crossgate.compiler.resource import CLUSTER, Resource
from crossgate.compiler.route_table import match_paths
from crossgate.compiler.routes import RouteOwner, forwarded_prefix
from crossgate.policy import EffectivePolicy
from crossgate.policy.re2 import quote
from crossgate.policy.responses import ResponseSettings

_SHARED: Final = RouteConfiguration(
    # A cluster that Envoy rejects is one error, not two: its APIs answer 503.
    validate_clusters=BoolValue(value=False),
    request_headers_to_remove=(LOOKUP_HEADER, *UNTRUSTED_FORWARDING_HEADERS),
    # The listener has removed what anybody but a trusted proxy says.
    request_headers_to_add=[forwarded_host(), upgrade_only()],
)


@dataclass(frozen=True, slots=True)
class ServedEndpoint:
    """An endpoint, its API, and the API's policy and times."""

    endpoint: str
    api: Api
    policy: EffectivePolicy | None
    times: TimeLimits
    behind_server_cors: bool = False
    """Whether server-level CORS is enforced: the policy does not apply to requests that it allowed."""


def compile_scope(key: ScopeKey, served: Sequence[ServedEndpoint]) -> Resource:
    """The scope's resource; ``served`` contains at least one endpoint."""
    name = scope_name(key)
    scope = ScopedRouteConfiguration(name=name)
    for part in key:
        scope.key.fragments.add(string_key=part)
    routes = scope.route_configuration
    routes.MergeFrom(_SHARED)
    routes.name = name
    host = routes.virtual_hosts.add(name=name, domains=["*"])
    if len(served) == 1:
        _put_only_endpoint(served[0], routes, host)
    else:
        _put_endpoints(served, host)
    clusters = sorted({cluster_name(one.api.native) for one in served})
    return resource(name, scope, tuple((CLUSTER, cluster) for cluster in clusters))


def _put_only_endpoint(served: ServedEndpoint, routes: RouteConfiguration, host: VirtualHost) -> None:
    """The prefix in its routes is sufficient to match the path, and headers of all routes are set once."""
    policy = served.policy
    settings = ResponseSettings.of(policy)
    vary = settings.vary and not settings.observes and not served.behind_server_cors
    owner = RouteOwner.of_api(served.api, served.endpoint, served.times, prefix_in_scope=True)
    table = compile_flow(policy, owner, behind_server_cors=served.behind_server_cors, vary_in_scope=vary)
    table.put_into(host)
    routes.request_headers_to_add.append(forwarded_prefix(served.endpoint))
    if vary:
        routes.response_headers_to_add.append(add_vary())


def _put_endpoints(served: Sequence[ServedEndpoint], host: VirtualHost) -> None:
    cases = []
    for one in sorted(served, key=lambda one: one.endpoint):
        owner = RouteOwner.of_api(one.api, one.endpoint, one.times, prefix_in_scope=False)
        flow = compile_flow(one.policy, owner, behind_server_cors=one.behind_server_cors)
        cases.append((rf"{quote(one.endpoint)}(?:[/?]\C*)?", flow))
    host.matcher.CopyFrom(match_paths(cases))
