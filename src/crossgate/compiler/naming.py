"""What the resources are called, and under which key an API's endpoints are looked up.

Envoy finds an API by a key of three path segments. Under ``/gateway`` and ``/ws`` these are the first three,
so that every API there has a scope of its own. Endpoints elsewhere may be of any depth: those that share
their first segment share a scope.
"""

from __future__ import annotations

from typing import Final

from crossgate.catalogue.model import NativeService
from crossgate.catalogue.names import DEFAULT_ROOTS

ROOTS: Final = DEFAULT_ROOTS
"""First segments under which the key is the endpoint's first three segments; none there is shorter."""

NOTHING: Final = "-"
"""Stands for the segments that are no part of the key."""

ScopeKey = tuple[str, str, str]


def scope_key(endpoint: str) -> ScopeKey:
    """The key under which requests to the endpoint are looked up."""
    first, *rest = endpoint.strip("/").split("/")
    return (first, rest[0], rest[1]) if first in ROOTS else (first, NOTHING, NOTHING)


def is_elsewhere(endpoint: str) -> bool:
    """Whether the endpoint lies under none of the roots."""
    return scope_key(endpoint)[0] not in ROOTS


def scope_name(key: ScopeKey) -> str:
    """The name of the scope's resource."""
    return "/".join(key)


def cluster_name(native: NativeService) -> str:
    """The name of the native service's cluster: equal for those, and only those, that are connected to alike.

    The base path is no part of it: that is the route's.
    """
    host = f"[{native.host}]" if ":" in native.host else native.host
    return f"native/{native.scheme}/{host}:{native.port}"
