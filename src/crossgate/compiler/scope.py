"""One scope: the APIs under one key, as one Envoy resource with its routes inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.config.route.v3.scoped_route_pb2 import ScopedRouteConfiguration

from crossgate.catalogue.model import Api
from crossgate.compiler.flow import compile_flow
from crossgate.compiler.matching import Branch, Predicate, branch, literal, matcher, matches
from crossgate.compiler.naming import ScopeKey, scope_name
from crossgate.compiler.private_headers import PRIVATE_HEADERS
from crossgate.compiler.protobuf import record, serialise, tag
from crossgate.compiler.resource import SCOPED_ROUTE_CONFIGURATION, Resource
from crossgate.compiler.routes import Leaves
from crossgate.policy import EffectivePolicy

HEARSAY: Final = (
    "forwarded",
    "x-forwarded-port",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
)
"""What a client says of where it comes from and where it goes: frameworks take it for a proxy's word, some
before ``X-Forwarded-*``, and would answer for another host or path than the one that was judged."""


_NAME: Final = tag(ScopedRouteConfiguration, "name")
_KEY: Final = tag(ScopedRouteConfiguration, "key")
_FRAGMENT: Final = tag(ScopedRouteConfiguration.Key, "fragments")
_PART: Final = tag(ScopedRouteConfiguration.Key.Fragment, "string_key")
_ROUTES: Final = tag(ScopedRouteConfiguration, "route_configuration")
_ROUTES_NAME: Final = tag(RouteConfiguration, "name")
_HOST: Final = tag(RouteConfiguration, "virtual_hosts")
_HOST_NAME: Final = tag(VirtualHost, "name")
_MATCHER: Final = tag(VirtualHost, "matcher")
_EVERY_DOMAIN: Final = serialise(VirtualHost(domains=["*"]))
_UNSAID: Final = serialise(RouteConfiguration(request_headers_to_remove=(*PRIVATE_HEADERS, *HEARSAY)))


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
    host = record(_HOST_NAME, text) + _EVERY_DOMAIN + record(_MATCHER, matcher(_find_endpoint(served)))
    routes = record(_ROUTES_NAME, text) + _UNSAID + record(_HOST, host)
    parts = [record(_FRAGMENT, record(_PART, part.encode())) for part in key]
    scope = record(_NAME, text) + record(_KEY, b"".join(parts)) + record(_ROUTES, routes)
    return Resource.of(SCOPED_ROUTE_CONFIGURATION, name, scope)


def _find_endpoint(served: Sequence[Served]) -> Branch:
    """With one endpoint under the key its routes' own prefix is check enough."""
    if len(served) == 1:
        return _flow(served[0])
    ordered = sorted(served, key=lambda one: one.endpoint)
    return branch([(_is_under(one.endpoint), _flow(one)) for one in ordered])


def _is_under(endpoint: str) -> Predicate:
    return matches(":path", rf"{literal(endpoint)}(?:[/?]\C*)?")


def _flow(served: Served) -> Branch:
    leaves = Leaves.of_api(served.api, served.endpoint)
    return compile_flow(served.policy, leaves, judged_before=served.judged_before)
