"""Who wants to hear of new revisions."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from crossgate.service.snapshot import Snapshot


class Watchers:
    """Callbacks, told in the order in which they came; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watchers: dict[object, Callable[[Snapshot], None]] = {}

    def add(self, watcher: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Tell ``watcher`` until the returned function is called."""
        ticket = object()
        with self._lock:
            self._watchers[ticket] = watcher

        def stop() -> None:
            with self._lock:
                self._watchers.pop(ticket, None)

        return stop

    def tell(self, head: Snapshot) -> None:
        """Tell everyone; whoever calls this sees to the order of heads."""
        with self._lock:
            watchers = tuple(self._watchers.values())
        for watcher in watchers:
            watcher(head)
