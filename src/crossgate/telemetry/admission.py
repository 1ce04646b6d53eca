"""Which new groups are handed on to the store, so that a flood does not fill it with groups of one request.

A group that was handed on once always is. A new one needs a place: each API and reason has some for groups of
any size, and more for those that were reported `OFTEN` times; the most frequent groups get theirs first.
Places come back with time. The requests of a group that gets no place for ten seconds are counted as others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.telemetry.tracked import FamilyKey, Tracked

OFTEN: Final = 3
HELD: Final = 10.0
"""Seconds that the requests of a new group wait for a place."""


@dataclass(frozen=True, slots=True)
class _Rate:
    at_once: float
    per_second: float


ANY: Final = _Rate(64, 0.05)
"""New groups of one family, however often they were reported."""
FREQUENT: Final = _Rate(64, 0.5)
"""New groups of one family that were reported often."""
ALL: Final = _Rate(2048, 2.0)
"""New groups of all families that were not."""


class _Places:
    """Free places, which come back with time."""

    __slots__ = ("_free", "_rate", "_time")

    def __init__(self, rate: _Rate, now: float) -> None:
        self._rate = rate
        self._free = rate.at_once
        self._time = now

    def fill(self, now: float) -> bool:
        """Add the places that came back. Whether all are free."""
        passed = max(now - self._time, 0.0)
        self._free = min(self._free + passed * self._rate.per_second, self._rate.at_once)
        self._time = now
        return self._free == self._rate.at_once

    @property
    def free(self) -> bool:
        return self._free >= 1

    def use(self) -> None:
        self._free -= 1


class Admission:
    """Gives places to new groups."""

    def __init__(self) -> None:
        self._all: _Places | None = None
        self._families: dict[FamilyKey, tuple[_Places, _Places]] = {}

    def admit(self, new: Iterable[Tracked], now: float) -> Iterator[Tracked]:
        """Those of the new groups that get a place, marked as known."""
        if self._all is None:
            self._all = _Places(ALL, now)
        self._all.fill(now)
        filled: set[FamilyKey] = set()
        for group in sorted(new, key=_seen, reverse=True):
            places = self._families.get(group.family)
            if places is None:
                places = self._families[group.family] = _Places(ANY, now), _Places(FREQUENT, now)
            if group.family not in filled:
                filled.add(group.family)
                for place in places:
                    place.fill(now)
            if self._place(group, *places):
                group.known = True
                group.held_since = None
                yield group
            else:
                _hold(group, now)

    def _place(self, group: Tracked, any_size: _Places, frequent: _Places) -> bool:
        """Whether there was a place for the group."""
        if group.seen >= OFTEN and frequent.free:
            frequent.use()
            return True
        if self._all is not None and self._all.free and any_size.free:
            self._all.use()
            any_size.use()
            return True
        return False

    def forget(self, now: float) -> None:
        """Forget the families whose places are all free."""
        for family, places in list(self._families.items()):
            unused = [place.fill(now) for place in places]
            if all(unused):
                del self._families[family]


def _seen(group: Tracked) -> int:
    return group.seen


def _hold(group: Tracked, now: float) -> None:
    if group.held_since is None:
        group.held_since = now
    elif now - group.held_since > HELD:
        group.become_others()
        group.held_since = None
