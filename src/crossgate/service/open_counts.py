"""How many refusals wait for a decision, kept for a moment: every page of the console shows it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final

from crossgate.service.permission import Permission
from crossgate.service.ports import CatalogueStore
from crossgate.service.snapshot import Snapshot

KEPT_SECONDS: Final = 2.0
"""What other control planes learn is not noticed, and shows after this time."""
_MOST_CALLERS: Final = 100


class OpenCounts:
    """Counts by what a caller can see. Thread-safe."""

    def __init__(self, store: CatalogueStore, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._changes = 0
        self._known: dict[tuple[str, ...], tuple[float, Snapshot, int]] = {}

    def clear(self) -> None:
        """Count again: something was counted or decided."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    def count(self, permission: Permission, read: Callable[[], int]) -> int:
        """The count, from ``read`` if it is not known."""
        now, head = self._clock(), self._store.head
        with self._lock:
            known, changes = self._known.get(permission.apis), self._changes
        if known is not None and now - known[0] < KEPT_SECONDS and known[1] is head:
            return known[2]
        found = read()
        with self._lock:
            # What changed while it was read may not be in it.
            if changes == self._changes:
                if len(self._known) >= _MOST_CALLERS:
                    self._known.clear()
                self._known[permission.apis] = now, head, found
        return found
