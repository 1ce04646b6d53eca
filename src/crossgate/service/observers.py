"""Callbacks for one kind of event: heads of the store, changes of the cache, decisions of nodes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

_Event = TypeVar("_Event")


class Observers(Generic[_Event]):
    """Calls every callback with every event, in the order of registration. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: dict[object, Callable[[_Event], None]] = {}

    def add(self, callback: Callable[[_Event], None]) -> Callable[[], None]:
        """Register ``callback``; the returned function removes it, and may be called more than once."""
        registration = object()
        with self._lock:
            self._callbacks[registration] = callback

        def remove() -> None:
            with self._lock:
                self._callbacks.pop(registration, None)

        return remove

    def notify(self, event: _Event) -> None:
        """Call every callback in the caller's thread. The caller keeps events in order.

        Callbacks may register and remove others: the change counts from the next event on.
        """
        with self._lock:
            callbacks = tuple(self._callbacks.values())
        for callback in callbacks:
            callback(event)
