"""Since when a node has not decided on what it should run: whether its configuration is settled."""

from __future__ import annotations

import time
from collections.abc import Callable

from crossgate.compiler.resource import ResourceKey
from crossgate.xds.ledger import Connection, Ledger, LedgerChange
from crossgate.xds.rollout_wait import has_decided


class NodeProgress:
    """Follows the newest connection of one node. A change costs the number of its resources.

    While changes follow each other quickly, something is always undecided. So what counts is the time since a
    resource was published, or since the node decided on an earlier version of it.
    """

    def __init__(self, ledger: Ledger, node: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._node = node
        self._clock = clock
        self._session: Connection | None = None
        self._disconnected = clock()
        self._undecided: dict[ResourceKey, float] = {}
        """By time; may contain what is decided."""
        self._all_unknown = False
        """Whether a change of connection or subscription may have made any resource undecided."""
        self._stop = [ledger.watch(self._on_ledger_change), ledger.cache.watch(self._on_published)]
        self._find_session()

    def close(self) -> None:
        """End to follow the node."""
        for stop in self._stop:
            stop()

    def undecided_since(self) -> float | None:
        """Since when, on the clock, it has not decided or is not connected; None if it has decided."""
        session = self._session
        if session is None:
            return self._disconnected
        if self._all_unknown:
            self._all_unknown = False
            now = self._clock()
            for key in self._ledger.cache.versions().keys() | session.applied.keys():
                self._undecided.setdefault(key, now)
        decided = [key for key in self._undecided if has_decided(self._ledger, session, key)]
        for key in decided:
            del self._undecided[key]
        return min(self._undecided.values(), default=None)

    def rejections(self) -> int:
        """How many resources the node rejects."""
        return 0 if self._session is None else len(self._ledger.rejected_by(self._session))

    def _on_published(self, keys: tuple[ResourceKey, ...]) -> None:
        now = self._clock()
        for key in keys:
            self._undecided.setdefault(key, now)

    def _on_ledger_change(self, change: LedgerChange) -> None:
        if change.session.node != self._node:
            return
        if change.keys is None:
            self._find_session()
            self._all_unknown = True
        elif change.session is self._session:
            now = self._clock()
            for key in change.keys:
                if key in self._undecided:
                    # Not left to `undecided_since`: perhaps nobody ever calls it.
                    if has_decided(self._ledger, change.session, key):
                        del self._undecided[key]
                    else:
                        self._undecided[key] = now

    def _find_session(self) -> None:
        own = [session for session in self._ledger.sessions if session.node == self._node]
        if self._session is not None and not own:
            self._disconnected = self._clock()
        if not own or own[-1] is not self._session:
            self._undecided.clear()
            self._all_unknown = True
        self._session = own[-1] if own else None
