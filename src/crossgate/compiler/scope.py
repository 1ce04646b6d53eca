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
from crossgate.compiler.naming import ScopeKey, cluster_name, scope_name
from crossgate.compiler.private_headers import PRIVATE_HEADERS
from crossgate.compiler.protobuf import record, serialise, tag
from crossgate.compiler.resource import CLUSTER, SCOPED_ROUTE_CONFIGURATION, Resource
from crossgate.compiler.responses import varying
from crossgate.compiler.routes import Speaker, forwarded_prefix
from crossgate.compiler.routing import by_path
from crossgate.policy import EffectivePolicy

UNTRUSTED_FORWARDING_HEADERS: Final = (
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-original-dst-host",
    "x-forwarded-port",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
)
"""Removed from every request: who the client is and where its request goes, in a client's own words.
Native services take them for a proxy's, some before ``X-Forwarded-*``, and would then answer another client,
host or path than the one that was judged. Each name costs a request 0.15 %."""


_NAME: Final = tag(ScopedRouteConfiguration, "name")
_KEY: Final = tag(ScopedRouteConfiguration, "key")
_FRAGMENT: Final = tag(ScopedRouteConfiguration.Key, "fragments")
_PART: Final = tag(ScopedRouteConfiguration.Key.Fragment, "string_key")
_ROUTES: Final = tag(ScopedRouteConfiguration, "route_configuration")
_ROUTES_NAME: Final = tag(RouteConfiguration, "name")
_HOST: Final = tag(RouteConfiguration, "virtual_hosts")
_SAID_UPSTREAM: Final = tag(RouteConfiguration, "request_headers_to_add")
_VARIES: Final = serialise(RouteConfiguration(response_headers_to_add=[varying()]))
_HOST_NAME: Final = tag(VirtualHost, "name")
_EVERY_DOMAIN: Final = serialise(VirtualHost(domains=["*"]))
_IN_COMMON: Final = serialise(
    RouteConfiguration(
        # A native service that Envoy refuses is one fault, not two; its API answers 503.
        validate_clusters=BoolValue(value=False),
        # The last one is a client's own; the routes write it anew.
        request_headers_to_remove=(*PRIVATE_HEADERS, *UNTRUSTED_FORWARDING_HEADERS, "x-forwarded-host"),
    )
)


@dataclass(frozen=True, slots=True)
class Served:
    """An endpoint, the API behind it and its policy.

    ``judged_before``: server-level CORS is enforced in front, and what it let pass is not judged again.
    """

    endpoint: str
    api: Api
    policy: EffectivePolicy | None
    judged_before: bool = False


def compile_scope(key: ScopeKey, served: Sequence[Served]) -> Resource:
    """The scope's resource; there is at least one endpoint under the key."""
    name = scope_name(key)
    text = name.encode()
    found, said = _alone(served[0]) if len(served) == 1 else (_find_endpoint(served), b"")
    host = record(_HOST_NAME, text) + _EVERY_DOMAIN + found
    routes = record(_ROUTES_NAME, text) + _IN_COMMON + said + record(_HOST, host)
    parts = [record(_FRAGMENT, record(_PART, part.encode())) for part in key]
    scope = record(_NAME, text) + record(_KEY, b"".join(parts)) + record(_ROUTES, routes)
    clusters = sorted({cluster_name(one.api.native) for one in served})
    needs = tuple((CLUSTER, cluster) for cluster in clusters)
    return Resource.of(SCOPED_ROUTE_CONFIGURATION, name, scope, needs)


def _alone(served: Served) -> tuple[bytes, bytes]:
    """Fields of the virtual host and of the route configuration, where there is one endpoint under the key.

    Its routes' own prefix is check enough, and what all routes would say is said once.
    """
    policy = served.policy
    varies = policy is not None and bool(policy.vary) and not policy.observes and not served.judged_before
    speaker = Speaker.of_api(served.api, served.endpoint, prefix_said=True)
    flow = compile_flow(policy, speaker, judged_before=served.judged_before, vary_said=varies)
    said = record(_SAID_UPSTREAM, forwarded_prefix(served.endpoint))
    return flow.of_host(), said + _VARIES if varies else said


def _find_endpoint(served: Sequence[Served]) -> bytes:
    cases = []
    for one in sorted(served, key=lambda one: one.endpoint):
        speaker = Speaker.of_api(one.api, one.endpoint, prefix_said=False)
        flow = compile_flow(one.policy, speaker, judged_before=one.judged_before)
        cases.append((rf"{literal(one.endpoint)}(?:[/?]\C*)?", flow))
    return by_path(cases)
