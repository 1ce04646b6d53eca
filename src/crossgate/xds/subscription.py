"""The resources of one kind on their way to one node.

Knows what the node follows, what it has, what is in flight, and what it refused. One response is in flight at
a time; what changes meanwhile coalesces, because a name is queued and its newest version is looked up when it
is sent. A refused batch is halved until the bad resource stands alone: Envoy takes or refuses a response as a
whole. Ordering between kinds is not known here: `held_back` asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, KeysView
from dataclasses import dataclass
from typing import Protocol

from crossgate.compiler.resource import Resource
from crossgate.xds.messages import Effect, ResourceRejected, ResourcesApplied
from crossgate.xds.resource_types import WHOLE_FIRST_RESPONSE

LONGEST_BATCH = 100
"""Most resources in one response, the removed ones included; `WHOLE_FIRST_RESPONSE` has the exception."""
HEAVIEST_BATCH = 4 * 1024 * 1024
"""Bytes after which a response takes no further resource: large origin sets must not pile up in one."""


class Resources(Protocol):
    """What is wanted; `crossgate.xds.cache.Cache` is one."""

    def get(self, type_url: str, name: str) -> Resource | None:
        """The resource, or None if there should be none."""

    def names(self, type_url: str) -> KeysView[str]:
        """All names of one kind."""


@dataclass(frozen=True, slots=True)
class RejectedVersion:
    """A version that the node refused, with Envoy's words; None stands for a removal."""

    version: str | None
    message: str


class Subscription:
    """One kind of resource on one stream."""

    def __init__(self, type_url: str, resources: Resources, *, longest: int = LONGEST_BATCH) -> None:
        self.type_url = type_url
        self._resources = resources
        self._longest = longest
        self.everything = False
        self.named: set[str] = set()
        self.has: dict[str, str] = {}
        self.refused: dict[str, RejectedVersion] = {}
        self.flight: dict[str, str | None] | None = None
        self._unsettled: dict[str, None] = {}
        # The node's state of these is unknown, or it asked for them: they travel whatever `has` says.
        self._unsure: set[str] = set()
        # Envoy keeps the good clusters of a response that it refuses, so the node may have these in a version
        # that it never acknowledged: their removal has to travel.
        self._perhaps: set[str] = set()
        self._removals: dict[str, None] = {}
        self._updates: dict[str, None] = {}
        self._suspects: deque[list[str]] = deque()
        # Refused alone, but not reported yet: they get a second chance together, see `_second_chance`.
        self._fallen: list[str] = []
        self._chance_taken = False
        self._took_some_since = False

    def follows(self, name: str) -> bool:
        """Whether the node wants to hear of ``name``."""
        return self.everything or name in self.named

    def wanted(self, name: str) -> str | None:
        """The version the node should have."""
        resource = self._resources.get(self.type_url, name)
        return resource.version if resource else None

    def lacks(self, name: str) -> bool:
        """Whether ``name`` has to travel still."""
        if not self.follows(name):
            return False
        if name in self._unsure:
            return True
        wanted = self.wanted(name)
        refusal = self.refused.get(name)
        if refusal is not None and refusal.version == wanted:
            return False
        return self.has.get(name) != wanted or (wanted is None and name in self._perhaps)

    def on_its_way(self, name: str) -> bool:
        """Whether anything is still to be sent, acknowledged or decided about ``name``."""
        return (self.flight is not None and name in self.flight) or self.lacks(name) or name in self._fallen

    def in_place(self, name: str) -> bool:
        """Whether nothing outdated of ``name`` serves on the node."""
        return not self.on_its_way(name) and not (
            name in self.refused and (name in self.has or name in self._perhaps)
        )

    def settle(self, name: str) -> bool:
        """`in_place`, and if so, ``name`` is no longer `unsettled`."""
        in_place = self.in_place(name)
        if in_place:
            self._unsettled.pop(name, None)
        return in_place

    def unsettled(self) -> list[str]:
        """Every name that is not in place; costs their number."""
        return [name for name in self._unsettled if not self.in_place(name)]

    def all_lacking(self) -> list[str]:
        """Every name that has to travel; costs the size of the subscription."""
        known = self.has.keys() | self._perhaps
        names = self._resources.names(self.type_url) | known if self.everything else self.named
        return [name for name in sorted(names) if self.lacks(name)]

    def insist(self, name: str) -> None:
        """DiscoveryResponse ``name`` whatever the node is believed to have."""
        self._unsure.add(name)
        self.refused.pop(name, None)

    def forget(self, name: str) -> None:
        """The node dropped ``name`` of its own accord."""
        self.has.pop(name, None)
        self.refused.pop(name, None)
        self._unsure.discard(name)
        self._perhaps.discard(name)
        self._unsettled.pop(name, None)
        if name in self._fallen:
            self._fallen.remove(name)

    def queue(self, names: Iterable[str]) -> None:
        """Consider ``names`` for the next batches; what turns out to need nothing is passed over."""
        for name in names:
            queue, other = (
                (self._removals, self._updates)
                if self.wanted(name) is None
                else (self._updates, self._removals)
            )
            other.pop(name, None)
            queue[name] = None
            self._unsettled[name] = None

    def touch(self, name: str) -> list[Effect]:
        """``name`` changed; returns the news if that made it need nothing, as when a change is taken back."""
        refusal = self.refused.get(name)
        if refusal is not None and refusal.version != self.wanted(name):
            del self.refused[name]
            if name in self._fallen:
                self._fallen.remove(name)
        if self.lacks(name):
            self.queue([name])
        return [] if self.on_its_way(name) else [self.news_of(name)]

    def news_of(self, name: str) -> ResourcesApplied:
        """What the node has of ``name``, as an effect."""
        return ResourcesApplied(self.type_url, ((name, self.has.get(name)),))

    def next_batch(self, held_back: Callable[[str], bool]) -> list[str] | None:
        """Put the next batch in flight and return its names; None if one is in flight or nothing may go."""
        if self.flight is not None:
            return None
        names = (
            self._next_suspects(held_back) or self._next_queued(held_back) or self._second_chance(held_back)
        )
        if not names:
            return None
        self.launch(names)
        return names

    def launch(self, names: Iterable[str]) -> None:
        """Put ``names`` in flight at their newest versions; none at all makes an empty response."""
        self.flight = {name: self.wanted(name) for name in names}
        self._unsure.difference_update(self.flight)

    def _next_suspects(self, held_back: Callable[[str], bool]) -> list[str]:
        while self._suspects:
            suspects = self._suspects.popleft()
            # What is held back comes again through the queue, when its barrier opens.
            names = [name for name in suspects if self.lacks(name) and not held_back(name)]
            if names:
                return names
        return []

    def _next_queued(self, held_back: Callable[[str], bool]) -> list[str]:
        names: list[str] = []
        weight = 0
        whole = self.type_url in WHOLE_FIRST_RESPONSE and not self.has
        # Removals first: a new scope may take the key of one that goes.
        for queue in (self._removals, self._updates):
            while queue and (whole or (len(names) < self._longest and weight < HEAVIEST_BATCH)):
                name = next(iter(queue))
                del queue[name]
                if self.lacks(name) and not held_back(name):
                    names.append(name)
                    resource = self._resources.get(self.type_url, name)
                    weight += len(resource.body) if resource else 0
        return names

    def _second_chance(self, held_back: Callable[[str], bool]) -> list[str]:
        """What was refused, once more, together: if there are several, or if anything was taken since.

        Two scopes that exchange their keys refuse each other when they are sent apart, and a resource may
        need another one that followed it.
        """
        if self._chance_taken or not (len(self._fallen) > 1 or (self._fallen and self._took_some_since)):
            return []
        self._chance_taken = True
        fallen, self._fallen = self._fallen, []
        for name in fallen:
            self.insist(name)
        self._suspects.extend(
            fallen[start : start + self._longest] for start in range(0, len(fallen), self._longest)
        )
        return self._next_suspects(held_back)

    def taken(self) -> tuple[list[str], list[Effect]]:
        """The node acknowledged what was in flight; returns the names and the news."""
        flight, self.flight = self.flight or {}, None
        took = {name: version for name, version in flight.items() if self.follows(name)}
        for name, version in took.items():
            if version is None:
                self.has.pop(name, None)
            else:
                self.has[name] = version
            self.refused.pop(name, None)
            self._perhaps.discard(name)
        self._took_some_since = self._took_some_since or bool(took)
        self.queue(name for name in took if self.lacks(name))
        effects: list[Effect] = [ResourcesApplied(self.type_url, tuple(took.items()))] if took else []
        return list(took), effects

    def not_taken(self, message: str) -> list[str]:
        """The node refused what was in flight, for the reason ``message``; returns the names."""
        flight, self.flight = self.flight or {}, None
        names = [name for name in flight if self.follows(name)]
        if len(flight) > 1:
            self._unsure.update(names)
            self._perhaps.update(names)
            half = (len(names) + 1) // 2
            self._suspects.extendleft(part for part in (names[half:], names[:half]) if part)
            return []
        for name in names:
            if flight[name] == self.wanted(name) and name not in self._unsure:
                self.refused[name] = RejectedVersion(flight[name], message)
                self._fallen.append(name)
                self._took_some_since = False if len(self._fallen) == 1 else self._took_some_since
            else:
                self.queue([name])
        return names

    def verdicts(self) -> tuple[list[str], list[Effect]]:
        """Once `next_batch` has nothing to send: the refusals, now final; returns the names and the news."""
        if self.flight is not None:
            return [], []
        fallen, self._fallen = self._fallen, []
        self._chance_taken = False
        return fallen, [
            ResourceRejected(self.type_url, name, self.refused[name].version, self.refused[name].message)
            for name in fallen
        ]
