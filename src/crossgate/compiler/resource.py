"""What the compiler makes and xDS carries: named, versioned bytes of one Envoy resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

CLUSTER: Final = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
LISTENER: Final = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE_CONFIGURATION: Final = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SCOPED_ROUTE_CONFIGURATION: Final = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"


@dataclass(frozen=True, slots=True)
class Resource:
    """One xDS resource, serialised: ``body`` is the message that ``type_url`` names.

    ``version`` is derived from the content, so equal bytes have equal versions, on every control plane.
    ``needs`` are the keys of resources that the content names: a node should have them first.
    """

    type_url: str
    name: str
    body: bytes
    version: str
    needs: tuple[ResourceKey, ...] = ()

    @classmethod
    def of(cls, type_url: str, name: str, body: bytes, needs: tuple[ResourceKey, ...] = ()) -> Resource:
        """The resource with the version that its content gives it."""
        return cls(type_url, name, body, sha256(body).hexdigest()[:16], needs)


ResourceKey = tuple[str, str]
"""Type URL and name."""

Changes = Mapping[ResourceKey, Resource | None]
"""What to put, and under None what to remove."""
