"""What the resources are called, and under which key an API's endpoints are looked up.

Envoy finds an API by a key of two path segments. Under ``/gateway`` and ``/ws`` these are the second and the
third, so that every API there has a scope of its own. Endpoints outside of these roots may be of any depth:
those that share their first segment share a scope, whose key is that segment behind a filler. A scope is
found under any first segment, so its routes look at the whole endpoint.
"""

from __future__ import annotations

from typing import Final

from crossgate.catalogue.model import NativeService
from crossgate.catalogue.names import DEFAULT_ROOTS

ROOTS: Final = DEFAULT_ROOTS
"""First segments under which the key is the endpoint's next two segments; none there is shorter."""

FILLER: Final = "-"
"""Stands in a key for the segment that is no part of it."""

ScopeKey = tuple[str, str]


def scope_key(endpoint: str) -> ScopeKey:
    """The key under which requests to the endpoint are looked up."""
    first, *rest = endpoint.strip("/").split("/")
    return (rest[0], rest[1]) if first in ROOTS else (FILLER, first)


def is_elsewhere(endpoint: str) -> bool:
    """Whether the endpoint lies under none of the roots."""
    return endpoint.split("/")[1] not in ROOTS


def scope_name(key: ScopeKey) -> str:
    """The name of the scope's resource."""
    return "/".join(key)


def cluster_name(native: NativeService) -> str:
    """The name of the native service's cluster: equal for those, and only those, that are connected to alike.

    The base path is no part of it: that is the route's.
    """
    host = f"[{native.host}]" if ":" in native.host else native.host
    return f"native/{native.scheme}/{host}:{native.port}"
