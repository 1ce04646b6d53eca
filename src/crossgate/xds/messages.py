"""What a stream hears and says, as plain values: delta xDS without protobuf.

Names follow the delta discovery messages of the xDS protocol. A version of None means "removed".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.compiler.resource import Resource

EVERYTHING = "*"
"""The name that subscribes to all resources of a kind."""


@dataclass(frozen=True, slots=True)
class DiscoveryRequest:
    """One DeltaDiscoveryRequest: changes to a subscription, an answer to a response, or both."""

    type_url: str
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    """``initial_resource_versions``: what a reconnecting node already has."""
    nonce: str = ""
    error: str | None = None
    """``error_detail.message``: the response with ``nonce`` was refused, and why."""


@dataclass(frozen=True, slots=True)
class DiscoveryResponse:
    """Effect: one DeltaDiscoveryResponse must go out."""

    type_url: str
    nonce: str
    resources: tuple[Resource, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourcesApplied:
    """Effect: the node runs these versions, by its own word; None means it no longer has the resource."""

    type_url: str
    versions: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ResourceRejected:
    """Effect: the node refused this version of one resource and keeps what it had; ``message`` is Envoy's."""

    type_url: str
    name: str
    version: str | None
    message: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """Effect: the node's interest in a kind changed by these names; `EVERYTHING` may be among them."""

    type_url: str
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


Effect = DiscoveryResponse | ResourcesApplied | ResourceRejected | SubscriptionChanged
