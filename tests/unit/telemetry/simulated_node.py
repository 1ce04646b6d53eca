"""A node whose token buckets pass a part of its reports, simulated in ticks of 10 ms.

What is passed in a tick is a random part of what came in it, as with an Envoy whose bucket is filled
continuously. Counters come every five seconds and reports up to a second late, neither in step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, count
from random import Random

from tests.unit.telemetry.samples import NOON, sample

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.refusals import AllowedKey, GroupKey
from crossgate.telemetry.buckets import BucketRates
from crossgate.telemetry.groups import RefusalGroups
from crossgate.telemetry.sampled_request import SampledRequest

TICK = 0.01
DAY_KEY = b"0123456789abcdef"


@dataclass
class Source:
    """Requests that come at a rate, as a Poisson process would have them."""

    request: SampledRequest
    per_second: float
    start: float = 0.0
    end: float = 1e9
    random_origins: bool = False
    finds_tokens: bool = False
    """Whether its requests come between the batches of a flood, and always pass."""


@dataclass
class Node:
    """One node and the groups that its reports are added to, until ``finish()``."""

    sources: list[Source]
    random: Random
    rates: BucketRates = field(default_factory=lambda: BucketRates(100, 100, 10))
    name: str = "node-1"
    denied_is_known: bool = False

    def __post_init__(self) -> None:
        self.groups = RefusalGroups(lambda _: DAY_KEY, self.rates)
        self.true: Counter[tuple[DecisionSeries, str]] = Counter()
        """Requests by series and origin; origins of a flood are one."""
        self.counted: Counter[GroupKey | AllowedKey] = Counter()
        self.sampled: Counter[GroupKey | AllowedKey] = Counter()
        self.variance: defaultdict[GroupKey | AllowedKey, float] = defaultdict(float)
        self.others: Counter[tuple[str, str]] = Counter()
        self.rows = 0
        self._tokens = {"refusals": float(self.rates.refusals), "browsers": float(self.rates.browsers)}
        self._tokens["allowed"] = float(self.rates.allowed)
        self._late: list[tuple[float, SampledRequest]] = []
        self._counters: Counter[DecisionSeries] = Counter()
        self._flushed: Counter[DecisionSeries] = Counter()
        self._denied = 0
        self._numbers = count()
        self._ticks = 0

    def run(self, seconds: float) -> Node:
        """Let that time pass."""
        for _ in range(round(seconds / TICK)):
            self._tick()
        return self

    def finish(self) -> Node:
        """Let all reports and counters arrive, without new requests."""
        sources, self.sources = self.sources, []
        self.run(75)
        self.sources = sources
        return self

    def _tick(self) -> None:
        now = NOON + self._ticks * TICK
        elapsed = self._ticks * TICK
        self._ticks += 1
        arrived: defaultdict[str, list[tuple[Source, int]]] = defaultdict(list)
        for source in self.sources:
            if source.start <= elapsed < source.end:
                number = _poisson(source.per_second * TICK, self.random)
                arrived[_bucket_of(source.request)].append((source, number))
                self._counters[source.request.series] += number
                self.true[source.request.series, source.request.origin] += number
        for bucket, requests in arrived.items():
            self._pass(bucket, requests, now)
        for bucket in self._tokens:
            rate = getattr(self.rates, bucket)
            self._tokens[bucket] = min(self._tokens[bucket] + rate * TICK, rate)
        if self._late and self._ticks % 10 == 0:
            for time, request in self._late:
                if time <= now:
                    self.groups.add(request)
            self._late = [item for item in self._late if item[0] > now]
        if self._ticks % 500 == 0:
            self._report(now)

    def _pass(self, bucket: str, requests: list[tuple[Source, int]], now: float) -> None:
        ends = list(accumulate(number for _, number in requests))
        passed = min(ends[-1], int(self._tokens[bucket]))
        self._tokens[bucket] -= passed
        self._denied += ends[-1] - passed
        first = [source for source, number in requests for _ in range(number) if source.finds_tokens]
        rest = [(source, number) for source, number in requests if not source.finds_tokens]
        ends = list(accumulate(number for _, number in rest))
        places = self.random.sample(range(ends[-1] if ends else 0), max(passed - len(first), 0))
        for source in [*first[:passed], *(rest[bisect_right(ends, place)][0] for place in places)]:
            request = replace(source.request, time=now, node=self.name)
            if source.random_origins:
                request = replace(request, origin=f"https://{next(self._numbers)}.flood.example")
            self._late.append((now + self.random.random(), request))

    def _report(self, now: float) -> None:
        # The node sent its counters some time ago.
        current = self._counters.copy()
        self.groups.counted(
            {series: value - self._flushed[series] for series, value in current.items()},
            {self.name: self._denied} if self.denied_is_known else None,
            now,
        )
        self._flushed, self._denied = current, 0
        groups, allowed, others = self.groups.take(now)
        for other in others:
            self.others[other.api, other.reason] += other.count  # type: ignore[assignment]
        for delta in groups:
            self.counted[delta.key] += delta.count  # type: ignore[assignment]
            self.sampled[delta.key] += delta.sampled
            self.variance[delta.key] += delta.variance
        for origin in allowed:
            self.counted[origin.key] += origin.count  # type: ignore[assignment]
        self.rows += len(groups) + len(allowed)

    def total(self, api: str, reason: str) -> float:
        """The sum of all groups of the API and reason, and of others."""
        return self.others[api, reason] + sum(
            value
            for key, value in self.counted.items()
            if isinstance(key, GroupKey) and (key.api, key.reason) == (api, reason)
        )

    def decisions(self, api: str, reason: str) -> int:
        """What the counters tell."""
        return sum(
            value for series, value in self._counters.items() if (series.api, series.reason) == (api, reason)
        )

    def of_origin(self, origin: str) -> Mapping[GroupKey, float]:
        """Counts of the groups of an origin."""
        return {
            key: value
            for key, value in self.counted.items()
            if isinstance(key, GroupKey) and key.origin == origin
        }


def request(series: DecisionSeries, origin: str, *, browser: bool = False) -> SampledRequest:
    """A request of a browser or a script."""
    return sample(series=series, origin=origin, fetch_mode="cors" if browser else "")


def _bucket_of(request: SampledRequest) -> str:
    if request.series.reason in ("origin-allowed", "preflight-allowed"):
        return "allowed"
    return "browsers" if request.fetch_mode else "refusals"


def _poisson(mean: float, random: Random) -> int:
    if mean > 20:
        return max(round(random.gauss(mean, mean**0.5)), 0)
    number = 0
    time = random.expovariate(1.0)
    while time < mean:
        number += 1
        time += random.expovariate(1.0)
    return number
