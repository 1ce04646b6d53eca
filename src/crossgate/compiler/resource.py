"""An xDS resource: one Envoy object as bytes, with name and version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

CLUSTER: Final = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
LISTENER: Final = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE_CONFIGURATION: Final = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SCOPED_ROUTE_CONFIGURATION: Final = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
TOKEN_BUCKET: Final = "type.googleapis.com/envoy.type.v3.TokenBucket"


@dataclass(frozen=True, slots=True)
class Resource:
    """One xDS resource: ``body`` is the serialised message of the type ``type_url``.

    ``version`` is a hash of the content, so equal bytes have equal versions on every control plane.
    ``needs`` are the keys of the resources that the content refers to: nodes should get them first.
    """

    type_url: str
    name: str
    body: bytes = field(repr=False)
    """Of a secret, it has a private key, which no log and no traceback may show."""
    version: str
    needs: tuple[ResourceKey, ...] = ()

    @classmethod
    def of(cls, type_url: str, name: str, body: bytes, needs: tuple[ResourceKey, ...] = ()) -> Resource:
        """The resource, with the version of its content."""
        return cls(type_url, name, body, sha256(body).hexdigest()[:16], needs)


ResourceKey = tuple[str, str]
"""The type URL and the name of a resource."""

Changes = Mapping[ResourceKey, Resource | None]
"""The resources to add or replace, by key; None removes the resource."""
