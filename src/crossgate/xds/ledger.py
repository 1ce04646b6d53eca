"""What every connected node runs, and what it refused, by its own word.

Knows keys, versions and times; nothing of how they travel. It is filled by the effects of
`crossgate.xds.stream`. One connection is one entry, so two Envoys that share an id by mistake both show. What
is known of a node ends with its connection: it tells what it holds when it comes back.

Public: `Ledger.nodes`, `Ledger.rejections`, `Ledger.state`, `Ledger.applied_everywhere`, `Ledger.watch`; to
wait, see `crossgate.xds.rollout_wait`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from crossgate.compiler.concerned import made_for
from crossgate.diagnostics import Diagnostic
from crossgate.service.observers import Observers
from crossgate.xds.cache import Cache, Key
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

_HEAD = 300


@dataclass(frozen=True, slots=True)
class Rejection:
    """A node refused ``version`` of a resource at ``at`` (Unix seconds) and goes on with what it had."""

    node: str
    key: Key
    version: str | None
    message: str
    at: float

    def diagnostic(self, apis: Sequence[str] = ()) -> Diagnostic:
        """The rejection as a finding for people; ``apis`` are those that the resource is made for."""
        kind, name = self.key
        rejected = f"{kind.rpartition('.')[2]} {name}{made_for(apis)}"
        return Diagnostic(
            code="node-rejected-resource",
            message=f"node {self.node} rejected {rejected}: {self.message}",
            remedy="The node keeps its last good version of it; change what this resource is made from",
            found=f"version {self.version}" if self.version else "its removal",
        )


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource on one node: ``applied`` since ``at`` (Unix seconds), ``wanted``, and what was refused."""

    applied: str | None
    at: float | None
    wanted: str | None
    rejection: Rejection | None

    @property
    def pending(self) -> bool:
        """Whether the node has neither taken nor refused the wanted version yet."""
        return self.applied != self.wanted and not (
            self.rejection is not None and self.rejection.version == self.wanted
        )


@dataclass(frozen=True, slots=True)
class NodeState:
    """One connected node: times are Unix seconds."""

    node: str
    connected_at: float
    acknowledged_at: float | None
    applied: int
    pending: int
    sent: int
    """Resources and removals that were sent over this connection, repetitions included."""
    rejections: tuple[Rejection, ...]


@dataclass(slots=True, eq=False)
class Session:
    """What one connection said so far; made by `Ledger.connect`."""

    node: str
    connected_at: float
    acknowledged_at: float | None = None
    sent: int = 0
    follows: dict[str, set[str]] = field(default_factory=dict)
    applied: dict[Key, tuple[str, float]] = field(default_factory=dict)
    rejections: dict[Key, Rejection] = field(default_factory=dict)

    def subscribes_to(self, key: Key) -> bool:
        """Whether the resource concerns this node: most kinds do only once they are asked for by name."""
        kind, name = key
        if kind in WILDCARD_TYPES:
            return True
        names = self.follows.get(kind, ())
        return name in names or EVERYTHING in names

    def version(self, key: Key) -> str | None:
        """The version the node runs, or None if it has no such resource."""
        applied = self.applied.get(key)
        return applied[0] if applied else None


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """One session decided on ``keys``, or it came, went or changed its interest if ``keys`` is None."""

    session: Session
    keys: tuple[Key, ...] | None = None


class Ledger:
    """Every connection, and what it acknowledged or refused, judged against the wanted state in ``cache``."""

    def __init__(self, cache: Cache, *, clock: Callable[[], float] = time.time) -> None:
        self.cache = cache
        self._clock = clock
        self._sessions: dict[Session, None] = {}
        self._observers = Observers[LedgerChange]()

    @property
    def sessions(self) -> Collection[Session]:
        """The connections, oldest first."""
        return self._sessions.keys()

    def connect(self, node: str) -> Session:
        """A node opened a stream."""
        session = Session(node, self._clock())
        self._sessions[session] = None
        self._observers.notify(LedgerChange(session))
        return session

    def disconnect(self, session: Session) -> None:
        """Its stream ended."""
        if session in self._sessions:
            del self._sessions[session]
            self._observers.notify(LedgerChange(session))

    def record(self, session: Session, effect: Effect) -> None:
        """Take note of what the stream of ``session`` found out."""
        now = self._clock()
        match effect:
            case ResourcesApplied(kind, versions):
                session.acknowledged_at = now
                for name, version in versions:
                    session.rejections.pop((kind, name), None)
                    if version is None:
                        session.applied.pop((kind, name), None)
                    else:
                        session.applied[kind, name] = (version, now)
                self._observers.notify(LedgerChange(session, tuple((kind, name) for name, _ in versions)))
            case ResourceRejected(kind, name, version, message):
                key = (kind, name)
                session.rejections[key] = Rejection(session.node, key, version, _shortened(message), now)
                self._observers.notify(LedgerChange(session, (key,)))
            case SubscriptionChanged():
                self._interest(session, effect)
                self._observers.notify(LedgerChange(session))
            case DiscoveryResponse():
                session.sent += len(effect.resources) + len(effect.removed)

    def nodes(self) -> list[NodeState]:
        """Every connected node; costs nodes times resources."""
        wanted = self.cache.versions()
        return [
            NodeState(
                session.node,
                session.connected_at,
                session.acknowledged_at,
                len(session.applied),
                sum(
                    self._state(session, key).pending
                    for key in wanted.keys() | session.applied.keys()
                    if session.subscribes_to(key)
                ),
                session.sent,
                tuple(self.refused_by(session)),
            )
            for session in self._sessions
        ]

    def rejections(self) -> list[Rejection]:
        """What connected nodes refuse at present, the oldest first."""
        found = [rejection for session in self._sessions for rejection in self.refused_by(session)]
        return sorted(found, key=lambda rejection: rejection.at)

    def refused_by(self, session: Session) -> list[Rejection]:
        """What this connection refuses at present, leaving out what is not wanted any more.

        A resource that a node never took is not removed from it either, so no answer would end the rejection.
        """
        return [
            rejection
            for key, rejection in session.rejections.items()
            if rejection.version is None or self.cache.version(key) or key in session.applied
        ]

    def state(self, node: str, key: Key) -> ResourceState | None:
        """One resource on the latest connection of ``node``; None if it has none."""
        for session in reversed(self._sessions):
            if session.node == node:
                return self._state(session, key)
        return None

    def applied_everywhere(self, versions: Mapping[Key, str | None]) -> bool:
        """Whether every connected node runs exactly these versions; None means "does not have it".

        True if no node is connected.
        """
        return all(
            session.version(key) == version
            for session in self._sessions
            for key, version in versions.items()
            if session.subscribes_to(key)
        )

    def watch(self, observer: Callable[[LedgerChange], None]) -> Callable[[], None]:
        """Call ``observer`` with every event, until the returned function is called."""
        return self._observers.add(observer)

    def _state(self, session: Session, key: Key) -> ResourceState:
        version, at = session.applied.get(key, (None, None))
        return ResourceState(version, at, self.cache.version(key), session.rejections.get(key))

    def _interest(self, session: Session, change: SubscriptionChanged) -> None:
        names = session.follows.setdefault(change.type_url, set())
        names.difference_update(change.dropped)
        names.update(change.added)
        if not change.dropped or EVERYTHING in names:
            return
        for record in (session.applied, session.rejections):
            for key in [key for key in record if key[0] == change.type_url and key[1] not in names]:
                record.pop(key, None)


def _shortened(message: str) -> str:
    """The message on one line, without the middle if it is long.

    Where Envoy's validation refuses a message, it prints the whole of it and the reason last. It cuts what it
    sends after 4,096 characters, the reason included, and says so with ``...(truncated)``.
    """
    line = " ".join(message.replace("goo.gle/debugstr", "").split())
    if len(line) <= LONGEST_MESSAGE:
        return line
    return f"{line[:_HEAD]} … {line[-(LONGEST_MESSAGE - _HEAD - 3) :]}"
