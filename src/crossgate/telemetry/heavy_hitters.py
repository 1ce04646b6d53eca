"""A table of bounded size that keeps what comes often, in families that get equal shares.

Within a family this is Space-Saving (Metwally, Agrawal, El Abbadi 2005,
https://doi.org/10.1007/978-3-540-30570-5_27): a newcomer takes the place of the entry with the lowest rank
and continues its rank. So whatever makes up more than 1/n of what comes to a family with n places is in the
table, and the newest entry is never the next one to go. A family that is crowded never takes the place of one
that is not: places are taken from the largest family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count
from typing import Final, Generic, TypeVar

Family = TypeVar("Family", bound=Hashable)
"""What shares places, such as an API and a reason."""


class Ranked(Generic[Family]):
    """An entry of the table."""

    __slots__ = ("evicted", "family", "key", "rank")

    def __init__(self, family: Family, key: Hashable) -> None:
        self.family: Final = family
        self.key: Final = key
        self.rank = 0
        """How often it came, counting what it took over. Increase it with each time."""
        self.evicted = False


Entry = TypeVar("Entry", bound=Ranked)  # type: ignore[type-arg]


class FairTable(Generic[Family, Entry]):
    """At most ``capacity`` entries. Every operation takes O(log n) time, some amortised."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: dict[Hashable, Entry] = {}
        # By family: each entry once, with a rank that it had. It is corrected when the entry gets to the top.
        self._heaps: dict[Family, list[tuple[int, int, Entry]]] = {}
        # Families by their number of entries; the largest number.
        self._by_size: defaultdict[int, dict[Family, None]] = defaultdict(dict)
        self._largest = 0
        self._order = count()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    @property
    def full(self) -> bool:
        """Whether a newcomer displaces another entry."""
        return len(self._entries) >= self._capacity

    def get(self, key: Hashable) -> Entry | None:
        """The entry with the key."""
        return self._entries.get(key)

    def size(self, family: Family) -> int:
        """How many entries of the family there are."""
        return len(self._heaps.get(family, ()))

    def insert(self, entry: Entry) -> Entry | None:
        """Add an entry whose key is not in the table. Returns the one that it displaced."""
        family = entry.family
        heap = self._heaps.get(family)
        if self.full:
            if heap is not None and len(heap) == self._largest:
                return self._replace_lowest(heap, entry)
            displaced = self._pop_lowest(next(iter(self._by_size[self._largest])))
        else:
            displaced = None
        self._entries[entry.key] = entry
        if heap is None:
            heap = self._heaps[family] = []
        heappush(heap, (entry.rank, next(self._order), entry))
        self._resized(family, len(heap) - 1, len(heap))
        return displaced

    def drop(self, old: Callable[[Entry], bool]) -> Sequence[Entry]:
        """Remove the entries that are old, and return them."""
        dropped: list[Entry] = []
        for family, heap in list(self._heaps.items()):
            kept: list[tuple[int, int, Entry]] = []
            for item in heap:
                if old(item[2]):
                    self._remove(item[2])
                    dropped.append(item[2])
                else:
                    kept.append(item)
            if len(kept) < len(heap):
                heapify(kept)
                self._resized(family, len(heap), len(kept))
                self._set_heap(family, kept)
        return dropped

    def _replace_lowest(self, heap: list[tuple[int, int, Entry]], entry: Entry) -> Entry:
        lowest = _find_lowest(heap)
        entry.rank += lowest.rank
        heapreplace(heap, (entry.rank, next(self._order), entry))
        self._remove(lowest)
        self._entries[entry.key] = entry
        return lowest

    def _pop_lowest(self, family: Family) -> Entry:
        heap = self._heaps[family]
        lowest = _find_lowest(heap)
        heappop(heap)
        self._remove(lowest)
        self._resized(family, len(heap) + 1, len(heap))
        self._set_heap(family, heap)
        return lowest

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.key]
        entry.evicted = True

    def _set_heap(self, family: Family, heap: list[tuple[int, int, Entry]]) -> None:
        if heap:
            self._heaps[family] = heap
        else:
            del self._heaps[family]

    def _resized(self, family: Family, before: int, after: int) -> None:
        if before:
            del self._by_size[before][family]
            if not self._by_size[before]:
                del self._by_size[before]
        if after:
            self._by_size[after][family] = None
        self._largest = max(self._largest, after)
        while self._largest and self._largest not in self._by_size:
            self._largest -= 1


def _find_lowest(heap: list[tuple[int, int, Entry]]) -> Entry:
    """Correct the ranks at the top of the heap until the lowest one is there."""
    while True:
        rank, order, entry = heap[0]
        if rank == entry.rank:
            return entry
        heapreplace(heap, (entry.rank, order, entry))
