"""The inputs and effects of a stream as plain values: delta xDS without protobuf.

Names follow the delta discovery messages of the xDS protocol. A version of None means "removed".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.compiler.resource import Resource

EVERYTHING = "*"
"""The name that subscribes to all resources of a type."""


@dataclass(frozen=True, slots=True)
class DiscoveryRequest:
    """One DeltaDiscoveryRequest: changes to a subscription, the answer to a response, or both."""

    type_url: str
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    """``initial_resource_versions``: what a reconnecting node already has."""
    nonce: str = ""
    error: str | None = None
    """``error_detail.message``: why the response with ``nonce`` was rejected."""


@dataclass(frozen=True, slots=True)
class DiscoveryResponse:
    """Effect: send one DeltaDiscoveryResponse."""

    type_url: str
    nonce: str
    resources: tuple[Resource, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourcesApplied:
    """Effect: the node acknowledged these versions; None means that it no longer has the resource."""

    type_url: str
    versions: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ResourceRejected:
    """Effect: the node rejected this version of one resource, for the reason ``message``."""

    type_url: str
    name: str
    version: str | None
    message: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """Effect: the node's subscription to a type changed by these names; `EVERYTHING` may be among them."""

    type_url: str
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


Effect = DiscoveryResponse | ResourcesApplied | ResourceRejected | SubscriptionChanged
