"""When decisions and reports are set against each other: five seconds later, when both are here.

The reports of a time come within a second or so, the counters of nodes every five seconds. Decisions are
settled one interval after they were counted, with the reports of the same time. So the decisions of a report
are never settled before the report, and nothing is counted twice.

A request that was drawn may be reported as well, by another stream and in any order. Both reports have the
same node, time, id and path, so they are in the same cell, an eighth of a second. A drawn request is
unreported if it is alone in its cell when that is settled. A request needs no id for it, and one whose id a
client chose is found as well. A report that comes later than two seconds is in the first cell that is not
settled.

A bucket that is empty has passed in the second before what fills it in that time, at least. So one that
passed less denied nothing, and what it passed is all that there was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crossgate.compiler.token_buckets import (
    ALLOWED,
    DRAWN_ALLOWED,
    DRAWN_REFUSALS,
    REFUSALS,
    REFUSALS_OF_BROWSERS,
)
from crossgate.policy.decision import Reason
from crossgate.telemetry import group_keys
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.scaling import Scaled, Share, Stratum, StratumKey, Window

COUNTED: Final = frozenset({*group_keys.REFUSALS, Reason.ORIGIN_ALLOWED, Reason.PREFLIGHT_ALLOWED})
"""Reasons whose decisions are all reported if no bucket is empty. Of an API without a policy only requests
with an Origin are, which no counter counts."""
MAX_REPORTS: Final = 100_000
"""Reports in the cells: ten seconds with 10,000 each. Draws of a time with more are not used."""
CELLS_PER_SECOND: Final = 8
MAX_CELLS: Final = 160
"""Cells that are not settled. Times are the node's: a wrong clock must not fill the memory."""

_LAG: Final = 1.5
"""Seconds after which the reports of a time are here: Envoy sends them after 1 s."""
_SHORTEST: Final = 5.0
"""Seconds of an interval: the counters of each node come at least once."""
_LOST: Final = 15.0
"""Seconds without counters after which reports are settled without them."""
_FORGOTTEN: Final = 3600.0
"""Seconds after which an API and reason without requests leaves the memory."""
_SATURATED: Final = 0.9
"""Part of a bucket's rate from which it may have been empty."""

_Bucket = tuple[str, str, int]
"""Node, name and second."""


@dataclass(slots=True)
class _Interval:
    start: float
    end: float
    decisions: dict[StratumKey, int]

    def add(self, other: _Interval) -> None:
        self.end = other.end
        for key, number in other.decisions.items():
            self.decisions[key] = self.decisions.get(key, 0) + number


class _Cell:
    """What was reported in an eighth of a second. Requests are known by a hash."""

    __slots__ = ("complete", "drawn", "reported", "reports")

    def __init__(self) -> None:
        self.reports: defaultdict[_Bucket, dict[Share, int]] = defaultdict(dict)
        self.reported: set[int] = set()
        self.drawn: dict[int, tuple[Share, _Bucket]] = {}
        self.complete = True


class Settlement:
    """The reports that are not settled, and the strata.

    ``rates`` is what each bucket of a node passes in a second.
    """

    def __init__(self, others: Callable[[StratumKey], Scaled], rates: Mapping[str, int]) -> None:
        self.rates = rates
        self._others = others
        self._cells: dict[int, _Cell] = {}
        self._settled: int | None = None
        """The newest cell that is settled."""
        self._reports = 0
        self._passed: defaultdict[_Bucket, int] = defaultdict(int)
        self._strata: dict[StratumKey, Stratum] = {}
        self._waiting: set[StratumKey] = set()
        self._intervals: list[_Interval] = []
        """Those that are not settled, the oldest first: two or three."""

    def report(self, sample: SampledRequest, time: float, share: Share) -> None:
        """Note a request that was reported, drawn or not, and the group that it is in."""
        number, cell = self._cell(time)
        second = int(time) if self._settled is None else number // CELLS_PER_SECOND
        bucket = sample.node, _bucket_of(sample), second
        self._passed[bucket] += 1
        if sample.series.reason not in COUNTED:
            return
        full = self._reports >= MAX_REPORTS
        if full:
            cell.complete = False
            share = self._others(share.stratum).share
        request = hash((sample.node, sample.time, sample.request_id, sample.path))
        if not sample.drawn:
            reports = cell.reports[bucket]
            reports[share] = reports.get(share, 0) + 1
            if not full:
                cell.reported.add(request)
                self._reports += 1
        elif not full:
            cell.drawn[request] = share, bucket
            self._reports += 1

    def _cell(self, time: float) -> tuple[int, _Cell]:
        """The cell of that time; if it is settled already, the first that is not."""
        number = 0
        if self._settled is not None:
            number = min(max(int(time * CELLS_PER_SECOND), self._settled + 1), self._settled + MAX_CELLS)
        cell = self._cells.get(number)
        if cell is None:
            cell = self._cells[number] = _Cell()
        return number, cell

    def counted(self, decisions: dict[StratumKey, int], now: float) -> None:
        """Note decisions that were counted, and settle those before."""
        if self._settled is None:
            self._settled = int(now * CELLS_PER_SECOND) - MAX_CELLS // 2
        start = self._intervals[-1].end if self._intervals else now
        interval = _Interval(start, now, decisions)
        if self._intervals and start - self._intervals[-1].start < _SHORTEST:
            self._intervals[-1].add(interval)
        else:
            self._intervals.append(interval)
        while len(self._intervals) > 1 and self._intervals[0].end <= now - _LAG:
            self._settle(self._intervals.pop(0), now)

    def settle_lost(self, now: float) -> None:
        """Settle reports without counters if these did not come for long."""
        if self._intervals and now - self._intervals[-1].end > _LOST:
            self.counted({}, now)

    def settle_all(self, now: float) -> None:
        """Settle everything at the end, when nothing more comes."""
        rest = _Interval(now, now, {})
        for interval in self._intervals:
            rest.add(interval)
        self._intervals.clear()
        # Clocks of nodes may be ahead.
        rest.end = max(now, (max(self._cells, default=0) + 1) / CELLS_PER_SECOND)
        self._settle(rest, now)
        for stratum in self._strata.values():
            stratum.settle_rest(now)

    def _settle(self, interval: _Interval, now: float) -> None:
        windows = self._windows(int(interval.end * CELLS_PER_SECOND))
        for key in {**interval.decisions, **windows, **dict.fromkeys(self._waiting)}:
            stratum = self._strata.get(key)
            if stratum is None:
                stratum = self._strata[key] = Stratum(self._others(key))
            stratum.settle(interval.decisions.get(key, 0), windows.get(key) or Window(), now)
            if stratum.waits:
                self._waiting.add(key)
            else:
                self._waiting.discard(key)

    def _windows(self, until: int) -> dict[StratumKey, Window]:
        """Remove the cells until that one, and return what was in them."""
        windows: defaultdict[StratumKey, Window] = defaultdict(Window)
        for number in sorted(number for number in self._cells if number <= until):
            cell = self._cells.pop(number)
            self._reports -= len(cell.drawn) + len(cell.reported)
            for bucket, reports in cell.reports.items():
                denies = self._may_be_empty(bucket, seconds=2)
                for share, times in reports.items():
                    window = windows[share.stratum]
                    window.reports[share.owner] += times
                    if denies:
                        window.doubtful.add(share.owner)
            if not cell.complete:
                continue
            for request, (share, bucket) in cell.drawn.items():
                if request not in cell.reported:
                    windows[share.stratum].draws.append((share, self._may_be_empty(bucket, seconds=1)))
        self._settled = until if self._settled is None else max(self._settled, until)
        for bucket in [bucket for bucket in self._passed if bucket[2] < until // CELLS_PER_SECOND - 1]:
            del self._passed[bucket]
        return windows

    def _may_be_empty(self, bucket: _Bucket, seconds: int) -> bool:
        """Whether the bucket may have been empty, by what it passed in that second and those before."""
        node, name, last = bucket
        passed = sum(self._passed.get((node, name, last - before), 0) for before in range(seconds))
        return passed >= _SATURATED * self.rates.get(name, 0)

    def forget(self, now: float) -> list[StratumKey]:
        """Forget what was idle for an hour. Returns the strata."""
        forgotten = [key for key, stratum in self._strata.items() if now - stratum.active > _FORGOTTEN]
        for key in forgotten:
            del self._strata[key]
            self._waiting.discard(key)
        return forgotten


def _bucket_of(sample: SampledRequest) -> str:
    if sample.series.reason not in group_keys.REFUSALS:
        return DRAWN_ALLOWED if sample.drawn else ALLOWED
    if sample.drawn:
        return DRAWN_REFUSALS
    return REFUSALS_OF_BROWSERS if sample.fetch_mode else REFUSALS
