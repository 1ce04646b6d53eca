"""How many decisions this control plane counted, of the Envoy processes that report to it.

A process reports cumulative values, and each control plane counts what no other one has counted: its part.
The store finds the parts, in one transaction each (`crossgate.service.ports.TelemetryBatch`), because only
there all control planes meet. So nothing is counted twice when a node changes control planes, when a control
plane restarts, or when a commit is repeated whose answer was lost; and totals never fall, because they hold
only what is stored.

Pure: no clock, no threads, no store. Totals may be read from any thread, the rest is for one at a time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from crossgate.compiler.route_names import SERVER_LEVEL, DecisionSeries
from crossgate.service.ports import CounterKey, TelemetryBatch

ENDED_AFTER: Final = timedelta(minutes=10)
"""A process is gone when it was silent for so long and another one of its node has reported since.

Its last reports may arrive late, over a connection that ended.
"""
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A node that was silent for so long is forgotten until it comes back: nodes come and go with new names."""
_NAMELESS: Final = "~"
"""Begins the names of processes that send none."""
_ENDED: Final = ""
_REMEMBERED_ENDS: Final = 1_000
_REMEMBERED_NODES: Final = 10_000


@dataclass(slots=True)
class _Process:
    """What is known of one Envoy process."""

    seen: dict[DecisionSeries, int] = field(default_factory=dict)
    """The highest value that it reported, or that is known to be counted."""
    unstored: dict[DecisionSeries, int] = field(default_factory=dict)
    """Increments since the last successful store."""
    reports: int = 0
    """The number, among all reports, of its last one."""
    reported: bool = True
    """Whether it reported since the last `DecisionCounts.take`."""
    heard: datetime | None = None
    """When that was last found to be so."""


class DecisionCounts:
    """The counters of the nodes of one control plane; ``own`` are its parts, from the store.

    Give it every report, store what ``take`` returns, and call ``stored``. If the store fails, call nothing:
    the next batch holds everything again.
    """

    def __init__(self, control_plane: str, own: Mapping[CounterKey, int]) -> None:
        self._control_plane = control_plane
        self._parts: dict[CounterKey, int] = {}
        self._totals: dict[DecisionSeries, int] = {}
        self._nodes: defaultdict[str, dict[DecisionSeries, int]] = defaultdict(dict)
        self._processes: defaultdict[str, dict[str, _Process]] = defaultdict(dict)
        self._taken: dict[CounterKey, int] = {}
        self._ended: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED_ENDS)
        self._apis: frozenset[str] | None = None
        self._forgotten: dict[str, None] = {}
        self._reports = 0
        for key, part in own.items():
            self._set_part(key, part)
            self._set_seen(key, part)

    def report(
        self,
        node: str,
        incarnation: str,
        values: Mapping[DecisionSeries, int],
        others: Mapping[DecisionSeries, int],
    ) -> Mapping[DecisionSeries, int]:
        """Take in the values of some counters of one process; returns what is new of each.

        ``others`` is what other control planes have counted of the process, as far as it is known. If it
        is too low, too much is returned here and in ``pending``, but not counted.

        ``incarnation`` names the process. If it is empty, a value that falls begins a new process.
        """
        if (node, incarnation) in self._ended:
            return {}
        incarnation = incarnation or self._nameless(node, values)
        process = self._processes[node].setdefault(incarnation, _Process())
        self._reports += 1
        process.reports, process.reported = self._reports, True
        new = {}
        for series, value in values.items():
            known = process.seen.get(series, 0)
            if value <= known:
                continue
            if others.get(series):
                part = self._parts.get(CounterKey(node, incarnation, series), 0)
                known = max(known, part + others[series])
            process.seen[series] = max(known, value)
            if value > known:
                new[series] = value - known
                process.unstored[series] = process.unstored.get(series, 0) + value - known
        return new

    def take(self, now: datetime) -> TelemetryBatch:
        """What to store: the counters that changed since the last batch that was stored."""
        counters, self._taken = {}, {}
        for node, processes in self._processes.items():
            for incarnation, process in processes.items():
                if process.reported or process.heard is None:
                    process.reported, process.heard = False, now
                for series, increment in process.unstored.items():
                    key = CounterKey(node, incarnation, series)
                    counters[key] = process.seen[series]
                    self._taken[key] = increment
        hour = now.replace(minute=0, second=0, microsecond=0)
        minute = now.replace(second=0, microsecond=0)
        return TelemetryBatch(self._control_plane, hour, counters, self._find_ended(now), minute=minute)

    def stored(self, batch: TelemetryBatch, parts: Mapping[CounterKey, int]) -> None:
        """The last batch is stored; ``parts`` are this control plane's, as the store returned them."""
        for key, part in parts.items():
            self._set_part(key, part)
        for key, increment in self._taken.items():
            unstored = self._processes[key.node][key.incarnation].unstored
            unstored[key.series] -= increment
            if not unstored[key.series]:
                del unstored[key.series]
        self._taken = {}
        for node, incarnation in batch.ended:
            self._fold(node, incarnation)

    def forget_silent(self, now: datetime) -> AbstractSet[str]:
        """Forget the nodes that have been silent for a day, and return their names.

        Totals still contain what they counted. Before another report of a forgotten node, call `recall`.
        """
        silent = {
            node
            for node, processes in self._processes.items()
            if all(_is_silent(one, now, FORGOTTEN_AFTER) and not one.unstored for one in processes.values())
        }
        for node in silent:
            incarnations = [_ENDED, *self._processes.pop(node)]
            for series in self._nodes.pop(node, ()):
                for incarnation in incarnations:
                    self._parts.pop(CounterKey(node, incarnation, series), None)
            self._forgotten[node] = None
            if len(self._forgotten) > _REMEMBERED_NODES:
                del self._forgotten[next(iter(self._forgotten))]
        return silent

    def knows(self, node: str, incarnation: str) -> bool:
        """Whether the process reported, and has neither ended nor been forgotten."""
        processes = self._processes.get(node, {})
        return incarnation in processes if incarnation else bool(processes)

    def is_forgotten(self, node: str) -> bool:
        """Whether the node was forgotten and not recalled yet."""
        return node in self._forgotten

    def recall(self, node: str, own: Mapping[CounterKey, int]) -> None:
        """Know a forgotten node again; ``own`` are the parts of this control plane, from the store."""
        del self._forgotten[node]
        for key, part in own.items():
            if key.node == node:
                # Not `_set_part`: it is in the totals.
                self._parts[key] = part
                series = self._nodes[node]
                series[key.series] = series.get(key.series, 0) + part
                self._set_seen(key, part)

    def totals(self) -> Mapping[DecisionSeries, int]:
        """What this control plane counted and stored, over all nodes and all times."""
        return self._kept(self._totals)

    def parts(self) -> Mapping[CounterKey, int]:
        """The same by process; processes that ended are summed under an empty incarnation."""
        apis = self._apis
        return {key: part for key, part in self._parts.items() if apis is None or key.series.api in apis}

    def totals_by_node(self) -> Mapping[str, Mapping[DecisionSeries, int]]:
        """The same by node, without those that were forgotten."""
        return {node: self._kept(series) for node, series in self._nodes.copy().items()}

    def pending(self) -> Mapping[DecisionSeries, int]:
        """What is new and not stored yet."""
        pending: defaultdict[DecisionSeries, int] = defaultdict(int)
        for processes in self._processes.values():
            for process in processes.values():
                for series, increment in process.unstored.items():
                    pending[series] += increment
        return self._kept(pending)

    def keep_apis(self, keys: Collection[str]) -> None:
        """Show counters of these APIs only. An API that comes back goes on where it ended."""
        # Live processes report deleted APIs to their end: what was counted of them must be remembered.
        self._apis = frozenset((*keys, SERVER_LEVEL, ""))

    def _kept(self, values: Mapping[DecisionSeries, int]) -> dict[DecisionSeries, int]:
        kept, apis = dict(values), self._apis
        if apis is not None:
            # A copy hashes no series; adding 60,000 to a new dictionary takes half of the time that
            # bench/metrics.py allows for the page of metrics.
            for series in [series for series in kept if series.api not in apis]:
                del kept[series]
        return kept

    def _set_part(self, key: CounterKey, part: int) -> None:
        # A store that was restored from a backup may have less than was shown.
        more = part - self._parts.get(key, 0)
        if more > 0:
            self._parts[key] = part
            for totals in (self._totals, self._nodes[key.node]):
                totals[key.series] = totals.get(key.series, 0) + more

    def _set_seen(self, key: CounterKey, part: int) -> None:
        if key.incarnation != _ENDED:
            process = self._processes[key.node].setdefault(key.incarnation, _Process())
            process.seen[key.series] = part

    def _nameless(self, node: str, values: Mapping[DecisionSeries, int]) -> str:
        """The name of a process without one: a new one if a value fell."""
        names = [name for name in self._processes[node] if name.startswith(_NAMELESS)]
        last = max((int(name[len(_NAMELESS) :]) for name in names), default=0)
        name = f"{_NAMELESS}{last}"
        if not last:
            return f"{_NAMELESS}1"
        seen = self._processes[node][name].seen
        fell = any(value < seen.get(series, 0) for series, value in values.items())
        return f"{_NAMELESS}{last + 1}" if fell else name

    def _find_ended(self, now: datetime) -> tuple[tuple[str, str], ...]:
        """The processes that are gone, and of which everything is stored.

        With something unstored, repeating a commit whose answer was lost would count that again.
        """
        ended = []
        for node, processes in self._processes.items():
            newest = max(process.reports for process in processes.values())
            for incarnation, process in processes.items():
                if (
                    _is_silent(process, now, ENDED_AFTER)
                    and process.reports < newest
                    and not process.unstored
                ):
                    ended.append((node, incarnation))
        return tuple(ended)

    def _fold(self, node: str, incarnation: str) -> None:
        process = self._processes[node].pop(incarnation, None)
        if process is None:
            return
        self._ended.append((node, incarnation))
        for series in process.seen:
            part = self._parts.pop(CounterKey(node, incarnation, series), 0)
            if part and (self._apis is None or series.api in self._apis):
                folded = CounterKey(node, _ENDED, series)
                self._parts[folded] = self._parts.get(folded, 0) + part
            elif part:
                self._forget(node, series, part)

    def _forget(self, node: str, series: DecisionSeries, part: int) -> None:
        for totals in (self._totals, self._nodes[node]):
            totals[series] -= part
            if not totals[series]:
                del totals[series]


def _is_silent(process: _Process, now: datetime, time: timedelta) -> bool:
    return not process.reported and process.heard is not None and now - process.heard >= time
