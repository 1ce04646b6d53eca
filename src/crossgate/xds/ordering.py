"""Make before break: which resources must wait for which others of the same change.

Knows keys and the tables of `crossgate.xds.resource_types`, neither versions nor responses. A change makes
barriers. A barrier lists the keys that are still on their way, and opens when the last one arrives. No two
changes can wait for each other: updates of clusters wait for nothing, listeners and routes wait for updates
of clusters, and only removals wait for routes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from crossgate.compiler.resource import ResourceKey
from crossgate.xds.resource_types import REMOVED_AFTER, UPDATED_AFTER


@dataclass(slots=True)
class Barrier:
    """Keys that are still on their way, and those that wait for them."""

    awaited: set[ResourceKey]
    waiting: list[ResourceKey] = field(default_factory=list)


@dataclass(slots=True)
class Gate:
    """The barriers before one key: ``always`` before any change, ``removal`` before its removal only."""

    always: list[Barrier] = field(default_factory=list)
    removal: list[Barrier] = field(default_factory=list)


class Arrivals:
    """The barriers that wait for keys to arrive, in one of the two senses of "arrive"."""

    def __init__(self) -> None:
        self._barriers: dict[ResourceKey, list[Barrier]] = {}

    def barrier(self, keys: Collection[ResourceKey]) -> Barrier:
        """A new barrier that opens when all ``keys`` have arrived."""
        barrier = Barrier(set(keys))
        for key in barrier.awaited:
            self._barriers.setdefault(key, []).append(barrier)
        return barrier

    def arrived(self, key: ResourceKey) -> list[ResourceKey]:
        """Take ``key`` off its barriers; returns the keys that waited at those that opened."""
        released: list[ResourceKey] = []
        for barrier in self._barriers.pop(key, ()):
            barrier.awaited.discard(key)
            if not barrier.awaited:
                released += barrier.waiting
        return released


class Ordering:
    """The barriers of one stream."""

    def __init__(self) -> None:
        self._gates: dict[ResourceKey, Gate] = {}
        self._decided = Arrivals()
        self._in_place = Arrivals()

    def change(
        self,
        changed: Collection[ResourceKey],
        *,
        removed: Callable[[ResourceKey], bool],
        after: Collection[ResourceKey] = (),
        removed_after: Collection[ResourceKey] = (),
    ) -> None:
        """Make ``changed`` wait for each other as the tables say.

        They also wait for the updates ``after`` that are on their way already, and the removals among them
        for ``removed_after``. Costs the number of keys.
        """
        types = {type_url for type_url, _ in changed}
        updated = [key for key in (*changed, *after) if not removed(key)]
        always = _barriers(updated, self._decided, UPDATED_AFTER, types)
        removal = _barriers(
            (*changed, *removed_after),
            self._in_place,
            REMOVED_AFTER,
            {key[0] for key in changed if removed(key)},
        )
        for key in changed:
            before = _before(key[0], UPDATED_AFTER, always)
            before_removal = _before(key[0], REMOVED_AFTER, removal) if removed(key) else []
            if before or before_removal:
                gate = self._gates.setdefault(key, Gate())
                gate.always += before
                gate.removal += before_removal
                for barrier in (*before, *before_removal):
                    barrier.waiting.append(key)

    def holds_back(self, key: ResourceKey, *, removal: bool) -> bool:
        """Whether the change of ``key`` still has to wait."""
        gate = self._gates.get(key)
        if gate is None:
            return False
        gate.always = [barrier for barrier in gate.always if barrier.awaited]
        gate.removal = [barrier for barrier in gate.removal if barrier.awaited]
        if not gate.always and not gate.removal:
            del self._gates[key]
        return bool(gate.always or (removal and gate.removal))

    def decided(self, key: ResourceKey) -> list[ResourceKey]:
        """No update of ``key`` is on its way any more; returns the keys that may go now."""
        return self._decided.arrived(key)

    def in_place(self, key: ResourceKey) -> list[ResourceKey]:
        """The node runs what is wanted of ``key``; returns the keys that may go now."""
        self._gates.pop(key, None)
        return self._in_place.arrived(key)


def _barriers(
    keys: Iterable[ResourceKey],
    arrivals: Arrivals,
    table: Mapping[str, frozenset[str]],
    waiting: Collection[str],
) -> dict[str, Barrier]:
    """A barrier for each type that one of the types ``waiting`` has to wait for."""
    needed = {type_url for waiter in waiting for type_url in table.get(waiter, ())}
    by_type: dict[str, list[ResourceKey]] = {}
    for key in keys:
        if key[0] in needed:
            by_type.setdefault(key[0], []).append(key)
    return {type_url: arrivals.barrier(found) for type_url, found in by_type.items()}


def _before(
    type_url: str, table: Mapping[str, frozenset[str]], barriers: Mapping[str, Barrier]
) -> list[Barrier]:
    return [barriers[awaited] for awaited in sorted(table.get(type_url, ())) if awaited in barriers]
