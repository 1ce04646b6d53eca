"""The decisions that a caller with a limit sees, by hour: what is over for long is kept for a moment.

A week of 5,000 APIs is a million rows, and every overview of such a caller needs the sums over its APIs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Final

from crossgate.service.permission import Permission
from crossgate.service.traffic import HOUR, TrafficCounts

KEPT_SECONDS: Final = 60.0
"""Hours that are over get decisions only from a control plane that could not store them in time."""
_MOST_CALLERS: Final = 100

Read = Callable[[datetime, datetime, frozenset[str]], TrafficCounts]


@dataclass(frozen=True, slots=True)
class _Over:
    """The decisions of hours that are over."""

    at: float
    apis: frozenset[str]
    counts: TrafficCounts


class VisibleTraffic:
    """Decisions by what a caller can see. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._apis: dict[tuple[str, ...], tuple[Mapping[str, object], frozenset[str]]] = {}
        self._over: dict[tuple[tuple[str, ...], datetime, datetime], _Over] = {}

    def apis(self, known: Mapping[str, object], permission: Permission) -> frozenset[str]:
        """The keys among those of ``known`` that the caller can see."""
        with self._lock:
            kept = self._apis.get(permission.apis)
        if kept is not None and kept[0] is known:
            return kept[1]
        found = frozenset(filter(permission.covers_api, known))
        with self._lock:
            if len(self._apis) >= _MOST_CALLERS:
                self._apis.clear()
            self._apis[permission.apis] = known, found
        return found

    def counts(
        self,
        apis: frozenset[str],
        permission: Permission,
        since: datetime,
        until: datetime,
        read: Read,
    ) -> list[TrafficCounts]:
        """The decisions of these APIs from ``since`` to ``until``, the end of the current hour."""
        begin = until - 2 * HOUR
        if since >= begin:
            return [read(since, until, apis)]
        key, now = (permission.apis, since, begin), self._clock()
        with self._lock:
            kept = self._over.get(key)
        if kept is None or kept.apis != apis or now - kept.at >= KEPT_SECONDS:
            kept = _Over(now, apis, read(since, begin, apis))
            with self._lock:
                if len(self._over) >= _MOST_CALLERS:
                    self._over.clear()
                self._over[key] = kept
        return [kept.counts, read(begin, until, apis)]
