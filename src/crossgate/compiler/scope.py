"""One scope: the APIs under one key, as one Envoy resource with its routes inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.config.route.v3.scoped_route_pb2 import ScopedRouteConfiguration
from google.protobuf.wrappers_pb2 import BoolValue

from crossgate.catalogue.model import Api
from crossgate.compiler.conditions import literal
from crossgate.compiler.flow import compile_flow
from crossgate.compiler.headers import LOOKUP_HEADER, UNTRUSTED_FORWARDING_HEADERS, add_vary
from crossgate.compiler.names import ScopeKey, cluster_name, scope_name
from crossgate.compiler.protobuf import encode_field, field_tag, serialise
from crossgate.compiler.resource import CLUSTER, SCOPED_ROUTE_CONFIGURATION, Resource
from crossgate.compiler.route_table import match_paths
from crossgate.compiler.routes import RouteOwner, forwarded_prefix
from crossgate.policy import EffectivePolicy

_NAME: Final = field_tag(ScopedRouteConfiguration, "name")
_KEY: Final = field_tag(ScopedRouteConfiguration, "key")
_FRAGMENT: Final = field_tag(ScopedRouteConfiguration.Key, "fragments")
_PART: Final = field_tag(ScopedRouteConfiguration.Key.Fragment, "string_key")
_ROUTES: Final = field_tag(ScopedRouteConfiguration, "route_configuration")
_ROUTES_NAME: Final = field_tag(RouteConfiguration, "name")
_HOST: Final = field_tag(RouteConfiguration, "virtual_hosts")
_SAID_UPSTREAM: Final = field_tag(RouteConfiguration, "request_headers_to_add")
_VARIES: Final = serialise(RouteConfiguration(response_headers_to_add=[add_vary()]))
_HOST_NAME: Final = field_tag(VirtualHost, "name")
_EVERY_DOMAIN: Final = serialise(VirtualHost(domains=["*"]))
_IN_COMMON: Final = serialise(
    RouteConfiguration(
        # A native service that Envoy refuses is one fault, not two; its API answers 503.
        validate_clusters=BoolValue(value=False),
        # The last one is a client's own; the routes write it anew.
        request_headers_to_remove=(LOOKUP_HEADER, *UNTRUSTED_FORWARDING_HEADERS, "x-forwarded-host"),
    )
)


@dataclass(frozen=True, slots=True)
class ServedEndpoint:
    """An endpoint, the API behind it and its policy.

    ``behind_server_cors``: server-level CORS is enforced in front, and what it let pass is not judged again.
    """

    endpoint: str
    api: Api
    policy: EffectivePolicy | None
    behind_server_cors: bool = False


def compile_scope(key: ScopeKey, served: Sequence[ServedEndpoint]) -> Resource:
    """The scope's resource; there is at least one endpoint under the key."""
    name = scope_name(key)
    text = name.encode()
    found, said = _alone(served[0]) if len(served) == 1 else (_find_endpoint(served), b"")
    host = encode_field(_HOST_NAME, text) + _EVERY_DOMAIN + found
    routes = encode_field(_ROUTES_NAME, text) + _IN_COMMON + said + encode_field(_HOST, host)
    parts = [encode_field(_FRAGMENT, encode_field(_PART, part.encode())) for part in key]
    scope = encode_field(_NAME, text) + encode_field(_KEY, b"".join(parts)) + encode_field(_ROUTES, routes)
    clusters = sorted({cluster_name(one.api.native) for one in served})
    needs = tuple((CLUSTER, cluster) for cluster in clusters)
    return Resource.of(SCOPED_ROUTE_CONFIGURATION, name, scope, needs)


def _alone(served: ServedEndpoint) -> tuple[bytes, bytes]:
    """Fields of the virtual host and of the route configuration, where there is one endpoint under the key.

    Its routes' own prefix is check enough, and what all routes would say is said once.
    """
    policy = served.policy
    varies = (
        policy is not None and bool(policy.vary) and not policy.observes and not served.behind_server_cors
    )
    owner = RouteOwner.of_api(served.api, served.endpoint, prefix_in_scope=True)
    flow = compile_flow(policy, owner, behind_server_cors=served.behind_server_cors, vary_in_scope=varies)
    said = encode_field(_SAID_UPSTREAM, forwarded_prefix(served.endpoint))
    return flow.virtual_host_fields(), said + _VARIES if varies else said


def _find_endpoint(served: Sequence[ServedEndpoint]) -> bytes:
    cases = []
    for one in sorted(served, key=lambda one: one.endpoint):
        owner = RouteOwner.of_api(one.api, one.endpoint, prefix_in_scope=False)
        flow = compile_flow(one.policy, owner, behind_server_cors=one.behind_server_cors)
        cases.append((rf"{literal(one.endpoint)}(?:[/?]\C*)?", flow))
    return match_paths(cases)
