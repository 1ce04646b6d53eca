"""A model of an Envoy at the other end of a delta stream, for tests of the stream machine.

It accepts or rejects each response as a whole, as Envoy does; of a rejected response with clusters it keeps
the good ones. A body is ``bad`` or ``good``, a space, any text, and for routes the name of their cluster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from crossgate.compiler.resource import Resource, ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.messages import (
    DiscoveryRequest,
    DiscoveryResponse,
    Effect,
    ResourceRejected,
    ResourcesApplied,
)
from crossgate.xds.resource_types import CLUSTER, LISTENER, SCOPED_ROUTES
from crossgate.xds.stream import Stream

TYPES = (CLUSTER, LISTENER, SCOPED_ROUTES)


def cluster(name: str, text: str = "good") -> Resource:
    return Resource.of(CLUSTER, name, text.encode())


def route(name: str, text: str = "good", *, to: str = "-") -> Resource:
    return Resource.of(SCOPED_ROUTES, name, f"{text} {to}".encode(), ((CLUSTER, to),))


def replace(cache: Cache, resources: Iterable[Resource]) -> tuple[ResourceKey, ...]:
    """Make ``cache`` hold exactly ``resources``, in one update; returns the keys that changed."""
    changes: dict[ResourceKey, Resource | None] = dict.fromkeys(cache.versions())
    return cache.update(changes | {(one.type_url, one.name): one for one in resources})


def is_bad(resource: Resource) -> bool:
    return resource.body.startswith(b"bad")


@dataclass
class ModelNode:
    serving: dict[str, dict[str, Resource]] = field(
        default_factory=lambda: {type_url: {} for type_url in TYPES}
    )
    # What it sends on a reconnect: the versions of responses that it accepted as a whole.
    versions: dict[str, dict[str, str]] = field(default_factory=lambda: {type_url: {} for type_url in TYPES})
    stream: Stream | None = None
    to_stream: deque[DiscoveryRequest] = field(default_factory=deque)
    to_node: deque[DiscoveryResponse] = field(default_factory=deque)
    subscriptions: set[str] = field(default_factory=set)
    requested: set[str] = field(default_factory=set)
    sent: list[DiscoveryResponse] = field(default_factory=list)
    reported: list[ResourcesApplied | ResourceRejected] = field(default_factory=list)
    # Called with every effect of the stream, as the control plane's ledger is.
    listener: Callable[[Effect], None] | None = None

    def connect(self, stream: Stream) -> None:
        self.disconnect()
        self.stream = stream
        # A fresh node requests one type after the other; a resuming one all at once.
        self.subscriptions.add(CLUSTER)
        for type_url in TYPES:
            if type_url in self.subscriptions:
                self.request(type_url)

    def disconnect(self) -> None:
        self.stream = None
        self.to_stream.clear()
        self.to_node.clear()
        self.requested.clear()

    def restart(self) -> None:
        self.disconnect()
        self.subscriptions.clear()
        for type_url in TYPES:
            self.serving[type_url].clear()
            self.versions[type_url].clear()

    def request(self, type_url: str) -> None:
        self.subscriptions.add(type_url)
        if type_url not in self.requested:
            self.requested.add(type_url)
            self.to_stream.append(DiscoveryRequest(type_url, held=dict(self.versions[type_url])))

    def perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if self.listener is not None:
                self.listener(effect)
            if isinstance(effect, DiscoveryResponse):
                assert effect.type_url not in {other.type_url for other in self.to_node}
                self.to_node.append(effect)
                self.sent.append(effect)
            elif isinstance(effect, ResourcesApplied | ResourceRejected):
                self.reported.append(effect)

    def deliver_request(self) -> bool:
        if self.stream is None or not self.to_stream:
            return False
        self.perform(self.stream.receive(self.to_stream.popleft()))
        return True

    def deliver_response(self) -> bool:
        if not self.to_node:
            return False
        send = self.to_node.popleft()
        type_url = send.type_url
        bad = [resource.name for resource in send.resources if is_bad(resource)]
        if not bad or type_url == CLUSTER:
            for resource in send.resources:
                if not is_bad(resource):
                    self.serving[type_url][resource.name] = resource
            for name in send.removed:
                self.serving[type_url].pop(name, None)
        if not bad:
            self.versions[type_url].update((resource.name, resource.version) for resource in send.resources)
            for name in send.removed:
                self.versions[type_url].pop(name, None)
        error = f"cannot take {', '.join(bad)}" if bad else None
        self.to_stream.append(DiscoveryRequest(type_url, nonce=send.nonce, error=error))
        following = TYPES.index(type_url) + 1
        if following < len(TYPES):
            self.request(TYPES[following])
        return True

    def run(self) -> None:
        """Deliver messages until there are none; fails if they never end."""
        for _ in range(10_000):
            if not self.deliver_request() and not self.deliver_response():
                return
        raise AssertionError("the stream and the node never stop sending")
