"""Counts of decisions between the event loop, where nodes report, and the threads that store and show them.

What is done with 60,000 counters takes up to a second. It happens under a lock that only threads take; the
event loop notes values under another one, which is never held for longer than that takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from threading import Lock

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey, TelemetryBatch, TelemetryStore
from crossgate.telemetry.decision_counts import DecisionCounts

_Process = tuple[str, str]
"""A node and the incarnation of its Envoy."""


class SharedCounts:
    """Thread-safe `DecisionCounts`. `prepare` reads them from the store; until then nothing is shown."""

    def __init__(self, control_plane: str) -> None:
        self._control_plane = control_plane
        self._apis: Collection[str] | None = None
        # Of the next three.
        self._lock = Lock()
        self._counts: DecisionCounts | None = None
        self._counted_by_others: dict[_Process, Mapping[DecisionSeries, int]] = {}
        self._increments: defaultdict[DecisionSeries, int] = defaultdict(int)
        # Taken after the other one, if both are.
        self._waiting_lock = Lock()
        self._waiting: defaultdict[_Process, list[dict[DecisionSeries, int]]] = defaultdict(list)

    # In the event loop.

    def note(self, node: str, incarnation: str, values: Mapping[DecisionSeries, int]) -> None:
        """Note the values of some counters of one Envoy process, since it began."""
        with self._waiting_lock:
            waiting = self._waiting[node, incarnation]
            # A value that falls begins another process, if it has no name.
            if waiting and (incarnation or all(waiting[-1].get(one, 0) <= values[one] for one in values)):
                waiting[-1].update(values)
            else:
                waiting.append(dict(values))

    def keep_apis(self, keys: Collection[str]) -> None:
        """Show counters of these APIs only."""
        self._apis = keys
        if self._counts is not None:
            self._counts.keep_apis(keys)

    # In threads.

    def totals(self) -> Mapping[DecisionSeries, int]:
        """What is stored, over all nodes."""
        counts = self._counts
        return {} if counts is None else counts.totals()

    def totals_by_node(self) -> Mapping[str, Mapping[DecisionSeries, int]]:
        """The same by node."""
        counts = self._counts
        return {} if counts is None else counts.totals_by_node()

    def parts(self) -> Mapping[CounterKey, int]:
        """The same by process."""
        with self._lock:
            return {} if self._counts is None else self._counts.parts()

    def pending(self) -> Mapping[DecisionSeries, int]:
        """What is not stored yet."""
        with self._lock:
            self._take_in()
            return {} if self._counts is None else self._counts.pending()

    def take_increments(self) -> Mapping[DecisionSeries, int]:
        """What was counted since the last call, whether or not it is stored."""
        with self._lock:
            self._take_in()
            increments, self._increments = self._increments, defaultdict(int)
        return increments

    def prepare(self, store: TelemetryStore) -> None:
        """Read what only the store knows, and take in the reports that waited for it.

        Raises:
            StoreUnavailable: the database fails.

        """
        counts = self._counts
        if counts is None:
            counts = self._counts = DecisionCounts(
                self._control_plane, store.own_counters(self._control_plane)
            )
            # Last: `keep_apis` may have been called meanwhile.
            if self._apis is not None:
                counts.keep_apis(self._apis)
        with self._waiting_lock:
            waiting = list(self._waiting)
        for process in waiting:
            if process not in self._counted_by_others:
                node, _ = process
                own = store.own_counters(self._control_plane) if counts.is_forgotten(node) else None
                others = store.counted_elsewhere(self._control_plane, *process)
                with self._lock:
                    if own is not None:
                        counts.recall(node, own)
                    self._counted_by_others[process] = others
        with self._lock:
            self._take_in()

    def take(self, now: datetime) -> TelemetryBatch:
        """What to store; call `prepare` before."""
        with self._lock:
            return self._read().take(now)

    def stored(self, batch: TelemetryBatch, parts: Mapping[CounterKey, int]) -> None:
        """The last batch is stored; ``parts`` are this control plane's."""
        with self._lock:
            self._read().stored(batch, parts)
            for ended in batch.ended:
                self._counted_by_others.pop(ended, None)

    def forget_silent(self, now: datetime) -> AbstractSet[str]:
        """Forget the nodes that have been silent for a day, and return their names."""
        with self._lock:
            counts = self._read()
            nodes = counts.forget_silent(now)
            # Also those of processes that reported after they ended. What is still needed is read again.
            for process in [one for one in self._counted_by_others if not counts.knows(*one)]:
                del self._counted_by_others[process]
        return nodes

    def _read(self) -> DecisionCounts:
        if self._counts is None:
            raise RuntimeError("call prepare first")
        return self._counts

    def _take_in(self) -> None:
        """Count the reports of processes of which is known what other control planes counted."""
        with self._waiting_lock:
            known = [process for process in self._waiting if process in self._counted_by_others]
            ready = {process: self._waiting.pop(process) for process in known}
        for process, reports in ready.items():
            for values in reports:
                new = self._read().report(*process, values, self._counted_by_others[process])
                for series, count in new.items():
                    self._increments[series] += count
