"""Refusals in the log of the program: a line for each group and interval, never one for each request.

A group that is new has its first line at once, within a budget; the others wait for the end of the interval.
What a flood adds beyond the most frequent groups is one line for all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from crossgate.diagnostics import printable
from crossgate.service import hyperloglog
from crossgate.service.log import Log, LogLimit
from crossgate.service.refusals import GroupDelta, GroupKey, OtherRefusals

INTERVAL: Final = 300.0
"""Seconds."""
MAX_LINES: Final = 100
"""Lines of one interval, besides those of new groups and one for all other groups."""
MAX_GROUPS: Final = 2000
"""Groups that have no line in the interval yet."""
MAX_KNOWN: Final = 20_000
"""Groups that had a line."""


@dataclass(slots=True)
class _Unlogged:
    """Requests of one group since its last line."""

    count: float = 0.0
    variance: float = 0.0
    clients: bytes = b""

    def add(self, delta: GroupDelta) -> None:
        self.count += delta.count
        self.variance += delta.variance
        self.clients = hyperloglog.merge(self.clients, delta.clients)


class RefusalLog:
    """Writes lines about refused and observed requests. Not thread-safe."""

    def __init__(self, log: Log, interval: float = INTERVAL) -> None:
        self._log = log
        self._interval = interval
        self._now = 0.0
        self._limit = LogLimit(lambda: self._now)
        self._began: float | None = None
        self._known: OrderedDict[str, None] = OrderedDict()
        self._unlogged: dict[GroupKey, _Unlogged] = {}
        self._others = 0.0

    def record(self, groups: Sequence[GroupDelta], others: Sequence[OtherRefusals], now: float) -> None:
        """Take in refusals, and write the lines that are due at ``now``, in seconds."""
        self._now = now
        if self._began is None:
            self._began = now
        self._others += sum(other.count for other in others)
        for delta in groups:
            self._add(delta)
        # A clock that is set back must not silence the log until it is where it was.
        if not 0 <= now - self._began < self._interval:
            self._began = now
            self._write_all()

    def _add(self, delta: GroupDelta) -> None:
        key = delta.key
        unlogged = self._unlogged.get(key)
        if unlogged is None:
            if len(self._unlogged) >= MAX_GROUPS:
                self._others += delta.count
                return
            unlogged = _Unlogged()
            self._unlogged[key] = unlogged
        unlogged.add(delta)
        if key.id not in self._known and self._limit.admit() is not None:
            del self._unlogged[key]
            self._write(key, unlogged)

    def _write_all(self) -> None:
        by_count = sorted(self._unlogged.items(), key=lambda item: item[1].count, reverse=True)
        self._unlogged = {}
        for key, unlogged in by_count[:MAX_LINES]:
            self._write(key, unlogged)
        others, self._others = self._others + sum(rest.count for _, rest in by_count[MAX_LINES:]), 0.0
        if others >= 1:
            self._log.info(
                "Requests of other groups refused", event="other-requests-refused", count=round(others)
            )

    def _write(self, key: GroupKey, unlogged: _Unlogged) -> None:
        self._known[key.id] = None
        self._known.move_to_end(key.id)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        self._log.info(
            "Requests of an origin would be refused" if key.observed else "Requests of an origin refused",
            event="requests-observed" if key.observed else "requests-refused",
            api=printable(key.api),
            origin=printable(key.origin),
            reason=key.reason,
            method=printable(key.method),
            headers=[printable(name) for name in key.headers],
            count=round(unlogged.count),
            error=round(1.96 * sqrt(unlogged.variance)),
            clients=hyperloglog.estimate(unlogged.clients),
            observed=key.observed,
            group=key.id,
        )
