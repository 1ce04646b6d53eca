"""When decisions and reports are set against each other: five seconds later, when both are here.

The reports of a time come within a second or so, the counters of nodes every five seconds. Decisions are
settled one interval after they were counted, with the reports of the same time. So the decisions of a report
are never settled before the report, and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crossgate.policy.decision import Reason
from crossgate.telemetry.buckets import BucketRates, Cell, NodeBucket
from crossgate.telemetry.group_keys import REFUSALS
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.scaling import Scaled, Share, Stratum, StratumKey

COUNTED: Final = frozenset({*REFUSALS, Reason.ORIGIN_ALLOWED, Reason.PREFLIGHT_ALLOWED})
"""Reasons whose decisions are all reported if no bucket is empty. Of an API without a policy only requests
with an Origin are, which no counter counts."""
MAX_SHARES: Final = 100_000
"""Shares in the cells: ten seconds with 10,000 reports each. More are counted as others."""

_LAG: Final = 1.5
"""Seconds after which the reports of a time are here: Envoy sends them after 1 s."""
_SHORTEST: Final = 5.0
"""Seconds of an interval: the counters of each node come at least once."""
_LOST: Final = 15.0
"""Seconds without counters after which reports are settled without them."""
_IDLE: Final = 720
_FORGOTTEN: Final = 3600.0
"""Seconds after which an API and reason without requests leaves the memory."""
_REFUSED_STATUS: Final = frozenset({403, 405})


@dataclass(slots=True)
class _Interval:
    start: float
    end: float
    decisions: dict[StratumKey, int]
    denied: dict[str, int] | None
    """By node; None if unknown."""

    def add(self, other: _Interval) -> None:
        self.end = other.end
        for key, number in other.decisions.items():
            self.decisions[key] = self.decisions.get(key, 0) + number
        if self.denied is None or other.denied is None:
            self.denied = None
        else:
            nodes = self.denied.keys() & other.denied.keys()
            self.denied = {node: self.denied[node] + other.denied[node] for node in nodes}

    def denied_none(self, node: str) -> bool:
        """Whether no bucket of the node denied anything."""
        return self.denied is not None and self.denied.get(node) == 0


class Settlement:
    """The cells of all buckets, and the strata."""

    def __init__(self, others: Callable[[StratumKey], Scaled], rates: BucketRates) -> None:
        self.rates = rates
        self._others = others
        self._buckets: dict[tuple[str, str], NodeBucket] = {}
        self._strata: dict[StratumKey, Stratum] = {}
        self._unsettled: set[StratumKey] = set()
        """Strata with a balance."""
        self._intervals: list[_Interval] = []
        """Those that are not settled, the oldest first: two or three."""
        self._denying: set[bool] = set()
        """Whether buckets of refusals were empty in the last interval; whether those of allowed were."""
        self._shares = 0

    def report(self, sample: SampledRequest, time: float, share: Share | None) -> None:
        """Put a report into the cell of the bucket that passed it; None if it is not counted in a group."""
        refused = sample.series.reason in REFUSALS or sample.status in _REFUSED_STATUS
        # The 403 of a native service passes the buckets of refusals.
        name = ("browsers" if sample.fetch_mode else "refusals") if refused else "allowed"
        bucket = self._buckets.get((sample.node, name))
        if bucket is None:
            bucket = self._buckets[sample.node, name] = NodeBucket()
        cell = bucket.cell(time)
        cell.passed += 1
        if share is None or sample.series.reason not in COUNTED:
            return
        if share not in cell.samples:
            if self._shares >= MAX_SHARES:
                share = self._others(share.stratum).share
            self._shares += 1
        cell.samples[share] = cell.samples.get(share, 0) + 1

    def counted(self, decisions: dict[StratumKey, int], denied: Mapping[str, int] | None, now: float) -> None:
        """Note decisions that were counted, and settle those before."""
        start = self._intervals[-1].end if self._intervals else now
        interval = _Interval(start, now, decisions, None if denied is None else dict(denied))
        if self._intervals and start - self._intervals[-1].start < _SHORTEST:
            self._intervals[-1].add(interval)
        else:
            self._intervals.append(interval)
        while len(self._intervals) > 1 and self._intervals[0].end <= now - _LAG:
            # What was denied before its end may be in the counters that came after it.
            self._settle(self._intervals.pop(0), self._intervals[0], now)

    def settle_lost(self, now: float) -> None:
        """Settle reports without counters if these did not come for long."""
        if self._intervals and now - self._intervals[-1].end > _LOST:
            self.counted({}, None, now)

    def _settle(self, interval: _Interval, after: _Interval, now: float) -> None:
        reports: dict[StratumKey, int] = {}
        scaled: dict[StratumKey, list[Mapping[Share, int]]] = {}
        nearby: dict[StratumKey, dict[Share, int]] = {}
        denying: set[bool] = set()
        for (node, name), bucket in self._buckets.items():
            denied_none = interval.denied_none(node) and after.denied_none(node)
            cells = bucket.judge(interval.end, getattr(self.rates, name))
            self._shares -= sum(len(cell.samples) for cell, _ in cells)
            denies = not denied_none and any(empty for _, empty in cells)
            if denies:
                denying.add(name != "allowed")
            for cell, empty in cells:
                parts = _by_stratum(cell)
                for key, part in parts.items():
                    reports[key] = reports.get(key, 0) + sum(part.values())
                    if denies and empty:
                        scaled.setdefault(key, []).append(part)
                    elif denies:
                        nearby.setdefault(key, {}).update(part)
        for key in {**interval.decisions, **reports, **dict.fromkeys(self._unsettled)}:
            stratum = self._strata.get(key)
            if stratum is None:
                stratum = self._strata[key] = Stratum(self._others(key))
            stratum.settle(
                interval.decisions.get(key, 0),
                reports.get(key, 0),
                scaled.get(key, ()),
                nearby.get(key, ()),
                denying=(key[1] in REFUSALS) in denying | self._denying,
                now=now,
            )
            if stratum.balance:
                self._unsettled.add(key)
            else:
                self._unsettled.discard(key)
        self._denying = denying

    def forget(self, now: float) -> list[StratumKey]:
        """Forget what was idle for an hour. Returns the strata."""
        forgotten = [key for key, stratum in self._strata.items() if now - stratum.active > _FORGOTTEN]
        for key in forgotten:
            del self._strata[key]
            self._unsettled.discard(key)
        for name, bucket in list(self._buckets.items()):
            if bucket.idle > _IDLE:
                del self._buckets[name]
        return forgotten


def _by_stratum(cell: Cell) -> dict[StratumKey, dict[Share, int]]:
    parts: dict[StratumKey, dict[Share, int]] = {}
    for share, number in cell.samples.items():
        parts.setdefault(share.stratum, {})[share] = number
    return parts
