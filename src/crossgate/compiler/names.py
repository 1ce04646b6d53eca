"""The names of resources, the key that finds an API, and the APIs that a resource belongs to.

Envoy finds an API by a scope key of two path segments. Below the default roots, ``/gateway`` and ``/ws``,
these are the second and third segment, so every API there has a scope of its own. Endpoints outside of the
default roots can have any depth: all endpoints with the same first segment share a scope, and its key is a
filler and that segment. The key does not contain the root, so the routes of a scope compare the whole
endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crossgate.catalogue.model import Api, NativeService
from crossgate.catalogue.names import DEFAULT_ROOTS
from crossgate.compiler.resource import CLUSTER, LISTENER, SCOPED_ROUTE_CONFIGURATION, ResourceKey

LISTENER_NAME: Final = "gateway"
CLIENT_LISTENER: Final[ResourceKey] = (LISTENER, LISTENER_NAME)
"""The listener that clients connect to."""
INTERNAL_NAME: Final = "apis"
"""Name of the internal listener and of the cluster that leads to it."""
SERVER_ROUTES_NAME: Final = "server-level-cors"
CONTROL_PLANE_CLUSTER: Final = "crossgate-control-plane"
"""The cluster in a node's bootstrap that leads to its control plane."""
SECRETS_CLUSTER: Final = "crossgate-secrets"
"""The cluster in a node's bootstrap that leads to the process of its machine that reads certificates."""

FILLER: Final = "-"
"""First part of the key of endpoints outside of the default roots."""

ScopeKey = tuple[str, str]

_MAX_LISTED: Final = 3


def scope_key(endpoint: str) -> ScopeKey:
    """The key under which Envoy looks up requests to the endpoint."""
    first, *rest = endpoint.strip("/").split("/")
    return (rest[0], rest[1]) if first in DEFAULT_ROOTS else (FILLER, first)


def outside_default_roots(endpoint: str) -> bool:
    """Whether the endpoint is not below ``/gateway`` or ``/ws``."""
    return endpoint.split("/")[1] not in DEFAULT_ROOTS


def scope_name(key: ScopeKey) -> str:
    """The name of the scope's resource."""
    return "/".join(key)


def cluster_name(native: NativeService) -> str:
    """The name of the native service's cluster: scheme, host and port.

    The base path is not part of the name: the routes contain it, so services that differ in it share a
    cluster.
    """
    host = f"[{native.host}]" if ":" in native.host else native.host
    return f"native/{native.scheme}/{host}:{native.port}"


def affected_apis(key: ResourceKey, apis: Mapping[str, Api]) -> tuple[str, ...]:
    """The sorted keys of the APIs that use the resource; empty for a resource of the whole gateway.

    Reads all APIs.
    """
    kind, name = key
    return tuple(sorted(api.key for api in apis.values() if name in _resource_names(kind, api)))


def apis_by_resource(apis: Mapping[str, Api]) -> Mapping[ResourceKey, Sequence[str]]:
    """The keys of the APIs that use each resource. Reads all APIs: 20 ms with 5,000."""
    found: dict[ResourceKey, list[str]] = {}
    for api in apis.values():
        for kind in (CLUSTER, SCOPED_ROUTE_CONFIGURATION):
            for name in _resource_names(kind, api):
                found.setdefault((kind, name), []).append(api.key)
    return found


def used_by(apis: Sequence[str]) -> str:
    """A suffix for the resource's name in a message: ", used by" and the first APIs; empty without APIs."""
    if not apis:
        return ""
    rest = [f"{len(apis) - _MAX_LISTED:,} more"] if len(apis) > _MAX_LISTED else []
    return f", used by {', '.join([*apis[:_MAX_LISTED], *rest])}"


def _resource_names(kind: str, api: Api) -> set[str]:
    if kind == CLUSTER:
        return {cluster_name(api.native)}
    if kind == SCOPED_ROUTE_CONFIGURATION:
        return {scope_name(scope_key(endpoint)) for endpoint in api.endpoints}
    return set()
