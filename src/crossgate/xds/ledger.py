"""The ledger of connected nodes: the versions that each of them applied and rejected, as it reported them.

Knows keys, versions and times; nothing of how resources are sent. It records the effects of
`crossgate.xds.stream`. One connection is one entry, so two Envoys that share an id by mistake both show. The
entry ends with its connection: a node lists what it holds when it reconnects. All times are Unix seconds.

While a new Envoy takes the place of one that drains, both are connected with one id. Incarnations tell them
apart: they are ``NAME.NUMBER``, and of one name the highest number counts. The others have no entry.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from crossgate.compiler.names import used_by
from crossgate.compiler.resource import ResourceKey
from crossgate.diagnostics import Diagnostic
from crossgate.service.observers import Observers
from crossgate.xds.cache import Cache
from crossgate.xds.messages import (
    EVERYTHING,
    DiscoveryResponse,
    Effect,
    ResourceRejected,
    ResourcesApplied,
    SubscriptionChanged,
)
from crossgate.xds.resource_types import WILDCARD_TYPES

LONGEST_MESSAGE = 1000
"""Characters of Envoy's message that are kept."""

_KEPT_HEAD = 300
_MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Rejection:
    """A node rejected ``version`` of a resource at ``at`` and keeps its last one; None is a removal."""

    node: str
    key: ResourceKey
    version: str | None
    message: str
    at: float
    kept: str | None = None
    """The version that the node keeps, if it has one."""

    def diagnostic(self, apis: Sequence[str] = ()) -> Diagnostic:
        """The rejection as a finding for people; ``apis`` are the APIs that the resource serves."""
        type_url, name = self.key
        rejected = f"{type_url.rpartition('.')[2]} {name}{used_by(apis)}"
        return Diagnostic(
            code="node-rejected-resource",
            message=f"node {self.node} rejected {rejected}: {self.message}",
            remedy="Change what the resource is compiled from; the node keeps its last good version",
            found=f"version {self.version}" if self.version else "its removal",
        )


@dataclass(frozen=True, slots=True)
class NodeState:
    """One connected node, with counts of its resources."""

    node: str
    connected_at: float
    acknowledged_at: float | None
    applied: int
    pending: int
    sent: int
    """Resources and removals that were sent over this connection, repetitions included."""
    rejections: tuple[Rejection, ...]
    undecided: tuple[ResourceKey, ...] = ()
    """What it has neither applied nor rejected yet, as many as ``pending``."""


@dataclass(slots=True, eq=False)
class Connection:
    """What one connection reported so far; made by `Ledger.connect`."""

    node: str
    connected_at: float
    incarnation: str = ""
    """The name of the process; empty if the node sends none."""
    acknowledged_at: float | None = None
    sent: int = 0
    subscribed: dict[str, set[str]] = field(default_factory=dict)
    applied: dict[ResourceKey, tuple[str, float]] = field(default_factory=dict)
    rejections: dict[ResourceKey, Rejection] = field(default_factory=dict)

    def subscribes_to(self, key: ResourceKey) -> bool:
        """Whether the node subscribes to the resource; to a wildcard type each node does, sooner or later."""
        type_url, name = key
        if type_url in WILDCARD_TYPES:
            return True
        names = self.subscribed.get(type_url, ())
        return name in names or EVERYTHING in names

    def version(self, key: ResourceKey) -> str | None:
        """The version that the node runs, or None."""
        applied = self.applied.get(key)
        return applied[0] if applied else None


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """``session`` decided on ``keys``; with None, it connected, disconnected or changed a subscription."""

    session: Connection
    keys: tuple[ResourceKey, ...] | None = None


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Resources and removals of all connections since the start, by type URL."""

    sent: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Every connection, and what it applied or rejected, compared with the wanted state in ``cache``."""

    def __init__(self, cache: Cache, *, clock: Callable[[], float] = time.time) -> None:
        self.cache = cache
        self.counts = DeliveryCounts()
        self._clock = clock
        self._sessions: dict[Connection, None] = {}
        self._newest: dict[tuple[str, str], int] = {}
        """The highest number of incarnations, by node and name."""
        self._observers = Observers[LedgerChange]()

    @property
    def sessions(self) -> Collection[Connection]:
        """The connections, oldest first."""
        return self._sessions.keys()

    def expect_after(self, node: str, incarnation: str) -> None:
        """Treat the incarnation as replaced, although its successor is not connected yet."""
        name, number = _split(incarnation)
        self._newest[node, name] = number + 1

    def connect(self, node: str, incarnation: str = "") -> Connection:
        """A node opened a stream."""
        session = Connection(node, self._clock(), incarnation)
        name, number = _split(incarnation)
        if name and number < self._newest.get((node, name), number):
            return session
        if name:
            self._newest.pop((node, name), None)
            self._newest[node, name] = number
            if len(self._newest) > _MOST_NAMES:
                del self._newest[next(iter(self._newest))]
            for other in [one for one in self._sessions if one.node == node]:
                if _split(other.incarnation)[0] == name and other.incarnation != incarnation:
                    self.disconnect(other)
        self._sessions[session] = None
        self._observers.notify(LedgerChange(session))
        return session

    def is_replaced(self, session: Connection) -> bool:
        """Whether the session has no entry: a newer Envoy takes the node's place."""
        return session not in self._sessions

    def disconnect(self, session: Connection) -> None:
        """Its stream ended, or a newer Envoy takes its place."""
        if session in self._sessions:
            del self._sessions[session]
            self._observers.notify(LedgerChange(session))

    def record(self, session: Connection, effect: Effect) -> None:
        """Record an effect of the stream of ``session``."""
        now = self._clock()
        match effect:
            case ResourcesApplied(type_url, versions):
                session.acknowledged_at = now
                self.counts.applied[type_url] += len(versions)
                for name, version in versions:
                    session.rejections.pop((type_url, name), None)
                    if version is None:
                        session.applied.pop((type_url, name), None)
                    else:
                        session.applied[type_url, name] = (version, now)
                self._notify(LedgerChange(session, tuple((type_url, name) for name, _ in versions)))
            case ResourceRejected(type_url, name, version, message):
                key = (type_url, name)
                self.counts.rejected[type_url] += 1
                kept = session.version(key)
                session.rejections[key] = Rejection(session.node, key, version, _shorten(message), now, kept)
                self._notify(LedgerChange(session, (key,)))
            case SubscriptionChanged():
                self._resubscribe(session, effect)
                self._notify(LedgerChange(session))
            case DiscoveryResponse():
                sent = len(effect.resources) + len(effect.removed)
                session.sent += sent
                self.counts.sent[effect.type_url] += sent

    def _notify(self, change: LedgerChange) -> None:
        if change.session in self._sessions:
            self._observers.notify(change)

    def nodes(self) -> list[NodeState]:
        """Every connected node, oldest connection first; costs nodes times resources."""
        wanted = self.cache.versions()
        return [self._state(session, wanted.keys() | session.applied.keys()) for session in self._sessions]

    def rejected_by(self, session: Connection) -> list[Rejection]:
        """What this connection rejects at present, without what is no longer wanted. Any thread may call it.

        A resource that a node never had is not removed from it either, so no answer would end the rejection.
        """
        return [
            rejection
            for key, rejection in tuple(session.rejections.items())
            if rejection.version is None or self.cache.version(key) or key in session.applied
        ]

    def watch(self, observer: Callable[[LedgerChange], None]) -> Callable[[], None]:
        """Call ``observer`` with every change, until the returned function is called."""
        return self._observers.add(observer)

    def _state(self, session: Connection, keys: Collection[ResourceKey]) -> NodeState:
        undecided = [key for key in keys if session.subscribes_to(key) and self._pending(session, key)]
        return NodeState(
            session.node,
            session.connected_at,
            session.acknowledged_at,
            len(session.applied),
            len(undecided),
            session.sent,
            tuple(self.rejected_by(session)),
            tuple(undecided),
        )

    def _pending(self, session: Connection, key: ResourceKey) -> bool:
        """Whether the node has neither applied nor rejected the wanted version yet."""
        wanted = self.cache.version(key)
        rejection = session.rejections.get(key)
        return session.version(key) != wanted and (rejection is None or rejection.version != wanted)

    def _resubscribe(self, session: Connection, change: SubscriptionChanged) -> None:
        names = session.subscribed.setdefault(change.type_url, set())
        names.difference_update(change.dropped)
        names.update(change.added)
        if not change.dropped or EVERYTHING in names:
            return
        for record in (session.applied, session.rejections):
            for key in [key for key in record if key[0] == change.type_url and key[1] not in names]:
                record.pop(key, None)


def _split(incarnation: str) -> tuple[str, int]:
    """Name and number; no name if it has another form."""
    name, _, number = incarnation.rpartition(".")
    return (name, int(number)) if number.isascii() and number.isdigit() else ("", 0)


def _shorten(message: str) -> str:
    """The message on one line; of a long one, the beginning and the end.

    When Envoy's validation rejects a message, it prints the whole of it and the reason last. It truncates
    what it sends after 4,096 characters, the reason included, and marks that with ``...(truncated)``.
    """
    line = " ".join(message.replace("goo.gle/debugstr", "").split())
    if len(line) <= LONGEST_MESSAGE:
        return line
    return f"{line[:_KEPT_HEAD]} … {line[-(LONGEST_MESSAGE - _KEPT_HEAD - 3) :]}"
