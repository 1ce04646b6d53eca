"""One node's subscription to one resource type: what it follows, what it has, and what is on its way.

Each name moves through the states of `crossgate.xds.delivery_states`. One response is in flight at a time;
changes meanwhile coalesce, because a name is queued and its newest version is looked up when it is sent. The
order between types is decided by the caller, in the function ``held_back``. The theory is in
`crossgate.xds.stream`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, KeysView
from dataclasses import dataclass
from typing import Final, Protocol

from crossgate.compiler.resource import Resource
from crossgate.xds.delivery_states import TRANSITIONS, DeliveryEvent, DeliveryState
from crossgate.xds.messages import Effect, ResourceRejected, ResourcesApplied
from crossgate.xds.resource_types import WHOLE_FIRST_RESPONSE

LONGEST_BATCH: Final = 100
"""Most resources and removals in one response; `WHOLE_FIRST_RESPONSE` is the exception."""
HEAVIEST_BATCH: Final = 4 * 1024 * 1024
"""Bytes after which a response takes no further resource, so that large origin sets travel apart."""

_SENDABLE: Final = frozenset({DeliveryState.QUEUED, DeliveryState.SUSPECT})
_DECIDED: Final = frozenset({DeliveryState.IN_SYNC, DeliveryState.REJECTED})
_REJECTED_ALONE: Final = frozenset({DeliveryState.SINGLED_OUT, DeliveryState.REJECTED})


class Resources(Protocol):
    """The wanted resources; `crossgate.xds.cache.Cache` is one."""

    def get(self, type_url: str, name: str) -> Resource | None:
        """The resource, or None if there should be none."""

    def names(self, type_url: str) -> KeysView[str]:
        """All names of one type."""


HeldBack = Callable[[str, bool], bool]
"""Called with a name and whether it is a removal: whether it has to wait for resources of other types."""


@dataclass(frozen=True, slots=True)
class RejectedVersion:
    """A version that the node rejected, with Envoy's message; the version None is a removal."""

    version: str | None
    message: str


class Subscription:
    """One resource type on one stream."""

    def __init__(self, type_url: str, resources: Resources, *, longest: int = LONGEST_BATCH) -> None:
        self.type_url = type_url
        self._resources = resources
        self._longest = longest
        self.everything = False
        self.named: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        """The versions that the node has by its own account."""
        self.in_flight: dict[str, str | None] | None = None
        """The versions in the unanswered response; None if every response is answered."""
        self.postponed: frozenset[str] = frozenset()
        """Names whose removal waits until the node has answered once."""
        self._states: dict[str, DeliveryState] = {}
        self._rejected: dict[str, RejectedVersion] = {}
        self._singled_out: dict[str, None] = {}
        # Sent whatever the node acknowledged: its state is unknown, or it requested them.
        self._forced: set[str] = set()
        # Envoy keeps the good clusters of a response that it rejects, so the node may have these in a version
        # that it never acknowledged: their removal has to be sent.
        self._possibly_held: set[str] = set()
        # Names to look at for the next response, in their order; the state decides whether they are sent.
        self._removals: dict[str, None] = {}
        self._updates: dict[str, None] = {}
        self._suspects: deque[list[str]] = deque()
        self._retried = False
        self._acked_since_rejection = False

    def state(self, name: str) -> DeliveryState:
        """Where ``name`` is on its way."""
        return self._states.get(name, DeliveryState.IN_SYNC)

    def follows(self, name: str) -> bool:
        """Whether the node subscribes to ``name``."""
        return self.everything or name in self.named

    def wanted(self, name: str) -> str | None:
        """The version that the node should have."""
        resource = self._resources.get(self.type_url, name)
        return resource.version if resource else None

    def lacks(self, name: str) -> bool:
        """Whether a version of ``name`` has to be sent that is not in flight."""
        return (
            self.follows(name)
            and (name in self._forced or self.state(name) not in _REJECTED_ALONE)
            and self._differs(name)
        )

    def on_its_way(self, name: str) -> bool:
        """Whether anything is still to be sent, acknowledged or decided about ``name``."""
        return self.state(name) not in _DECIDED and self.follows(name)

    def is_rejected(self, name: str) -> bool:
        """Whether the node rejected the wanted version of ``name`` for good."""
        return self.state(name) is DeliveryState.REJECTED

    def in_place(self, name: str) -> bool:
        """Whether nothing outdated of ``name`` serves on the node."""
        outdated = name in self._rejected and (name in self.acknowledged or name in self._possibly_held)
        return not outdated and not self.on_its_way(name)

    def unsettled(self) -> list[str]:
        """Every name that is not in place, without postponed ones; costs the number of names on their way."""
        return [
            name
            for name, state in self._states.items()
            if state is not DeliveryState.POSTPONED and not self.in_place(name)
        ]

    def all_lacking(self) -> list[str]:
        """Every name that has to be sent; costs the size of the subscription."""
        known = self.acknowledged.keys() | self._possibly_held
        names = self._resources.names(self.type_url) | known if self.everything else self.named
        return [name for name in sorted(names) if self.lacks(name)]

    def known(self) -> set[str]:
        """Every name that the node has or that is on its way to it."""
        return {*self.acknowledged, *self._states}

    def applied(self, name: str) -> ResourcesApplied:
        """The effect that reports what the node has of ``name``."""
        return ResourcesApplied(self.type_url, ((name, self.acknowledged.get(name)),))

    def force(self, name: str) -> None:
        """Have ``name`` sent whatever the node acknowledged; to be queued by the caller."""
        self._forced.add(name)

    def postpone(self, names: Iterable[str]) -> None:
        """Hold the removals of ``names`` back until `take_postponed`."""
        self.postponed = frozenset(names)
        for name in self.postponed:
            self._move(name, DeliveryEvent.POSTPONE)

    def take_postponed(self) -> list[str]:
        """The postponed names that still have to be sent; they are to be queued now."""
        names, self.postponed = self.postponed, frozenset()
        return sorted(name for name in names if self.lacks(name))

    def queue(self, names: Iterable[str]) -> None:
        """Look at ``names`` for the next responses; a name that lacks nothing will not be sent."""
        for name in names:
            if self.lacks(name):
                self._move(name, DeliveryEvent.CHANGED)
            self._line_up(name)

    def wanted_changed(self, name: str) -> list[Effect]:
        """The wanted version of ``name`` changed; reports it applied if that left nothing to send."""
        if self._differs(name):
            self._move(name, DeliveryEvent.CHANGED)
            self._line_up(name)
        else:
            self._move(name, DeliveryEvent.REVERTED)
        return [] if self.on_its_way(name) else [self.applied(name)]

    def forget(self, name: str) -> None:
        """The node no longer subscribes to ``name`` and drops it."""
        self._move(name, DeliveryEvent.UNSUBSCRIBE)
        self.acknowledged.pop(name, None)
        self._forced.discard(name)
        self._possibly_held.discard(name)

    def next_batch(self, held_back: HeldBack) -> list[str] | None:
        """Put the next batch in flight and return its names; None if one is in flight or nothing may go."""
        if self.in_flight is not None:
            return None
        names = self._next_suspects(held_back) or self._next_queued(held_back) or self._retry(held_back)
        if not names:
            return None
        self.launch(names)
        return names

    def launch(self, names: Iterable[str]) -> None:
        """Put ``names`` in flight at their newest versions; no names make an empty response."""
        self.in_flight = {name: self.wanted(name) for name in names}
        self._forced.difference_update(self.in_flight)
        for name in self.in_flight:
            self._move(name, DeliveryEvent.SEND)

    def ack(self) -> tuple[list[str], list[Effect]]:
        """The node acknowledged the response in flight; returns its names, and what to report."""
        answered = self._answered()
        acked = {name: version for name, version in answered.items() if self.follows(name)}
        for name in answered:
            self._move(name, DeliveryEvent.ACK)
        for name, version in acked.items():
            if version is None:
                self.acknowledged.pop(name, None)
            else:
                self.acknowledged[name] = version
            self._possibly_held.discard(name)
        self._acked_since_rejection = self._acked_since_rejection or bool(acked)
        self.queue(name for name in acked if self.lacks(name))
        return list(acked), [ResourcesApplied(self.type_url, tuple(acked.items()))] if acked else []

    def nack(self, message: str) -> list[str]:
        """The node rejected the response in flight; returns the names whose fate may be decided by that."""
        answered = self._answered()
        names = [name for name in answered if self.follows(name)]
        for name in answered.keys() - names:
            self._move(name, DeliveryEvent.NACK_OUTDATED)
        if len(answered) > 1:
            for name in names:
                self._move(name, DeliveryEvent.NACK)
            self._forced.update(names)
            self._possibly_held.update(names)
            half = (len(names) + 1) // 2
            self._suspects.extendleft(part for part in (names[half:], names[:half]) if part)
            return []
        for name in names:
            if answered[name] == self.wanted(name) and name not in self._forced:
                self._acked_since_rejection = self._acked_since_rejection and bool(self._singled_out)
                self._move(name, DeliveryEvent.NACK_ALONE)
                self._rejected[name] = RejectedVersion(answered[name], message)
            else:
                self._move(name, DeliveryEvent.NACK_OUTDATED)
                self.queue([name])
        return names

    def give_up(self) -> tuple[list[str], list[Effect]]:
        """Once `next_batch` has nothing to send: the names now rejected for good, and what to report."""
        if self.in_flight is not None:
            return [], []
        names = list(self._singled_out)
        for name in names:
            self._move(name, DeliveryEvent.GIVE_UP)
        self._retried = False
        rejected = [(name, self._rejected[name]) for name in names]
        return names, [
            ResourceRejected(self.type_url, name, one.version, one.message) for name, one in rejected
        ]

    def _next_suspects(self, held_back: HeldBack) -> list[str]:
        while self._suspects:
            # What is held back comes again through the queue, when its barrier opens.
            names = [name for name in self._suspects.popleft() if self._may_go(name, held_back)]
            if names:
                return names
        return []

    def _next_queued(self, held_back: HeldBack) -> list[str]:
        names: list[str] = []
        weight = 0
        whole = self.type_url in WHOLE_FIRST_RESPONSE and not self.acknowledged
        # Removals first: a new scope may take the key of one that goes.
        for queue in (self._removals, self._updates):
            while queue and (whole or (len(names) < self._longest and weight < HEAVIEST_BATCH)):
                name = next(iter(queue))
                del queue[name]
                if self._may_go(name, held_back):
                    names.append(name)
                    resource = self._resources.get(self.type_url, name)
                    weight += len(resource.body) if resource else 0
        return names

    def _retry(self, held_back: HeldBack) -> list[str]:
        """What was rejected alone, once more: if there are several, or if anything was acknowledged since.

        Two scopes that exchange their keys are rejected when they are sent apart, and a resource may need
        another one that followed it.
        """
        names = list(self._singled_out)
        if self._retried or not (len(names) > 1 or (names and self._acked_since_rejection)):
            return []
        self._retried = True
        for name in names:
            self._move(name, DeliveryEvent.RETRY)
        self._forced.update(names)
        self._suspects.extend(
            names[start : start + self._longest] for start in range(0, len(names), self._longest)
        )
        return self._next_suspects(held_back)

    def _line_up(self, name: str) -> None:
        removal = self.wanted(name) is None
        queue, other = (self._removals, self._updates) if removal else (self._updates, self._removals)
        other.pop(name, None)
        queue[name] = None

    def _may_go(self, name: str, held_back: HeldBack) -> bool:
        if self.state(name) not in _SENDABLE:
            return False
        removal = self.wanted(name) is None
        if (removal and name in self.postponed) or held_back(name, removal):
            self._move(name, DeliveryEvent.HOLD_BACK)
            return False
        return True

    def _answered(self) -> dict[str, str | None]:
        answered, self.in_flight = self.in_flight or {}, None
        return answered

    def _differs(self, name: str) -> bool:
        wanted = self.wanted(name)
        return (
            name in self._forced
            or self.acknowledged.get(name) != wanted
            or (wanted is None and name in self._possibly_held)
        )

    def _move(self, name: str, event: DeliveryEvent) -> None:
        state = TRANSITIONS[self._states.get(name, DeliveryState.IN_SYNC), event]
        if state is DeliveryState.IN_SYNC:
            self._states.pop(name, None)
        else:
            self._states[name] = state
        if state is DeliveryState.SINGLED_OUT:
            self._singled_out[name] = None
        elif self._rejected:
            self._singled_out.pop(name, None)
            if state is not DeliveryState.REJECTED:
                self._rejected.pop(name, None)
