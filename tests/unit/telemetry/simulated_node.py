"""A node whose token buckets pass a part of its reports, and that draws others by chance.

Buckets fill continuously. A flood may come in batches, as from clients that all wait for their answers: the
bucket fills meanwhile. Counters come every five seconds and reports up to a second late, neither in step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from operator import itemgetter
from random import Random

from tests.unit.telemetry.samples import NOON, sample

from crossgate.catalogue.telemetry import Telemetry
from crossgate.compiler.route_names import DecisionSeries
from crossgate.compiler.token_buckets import DRAW_ONE_OF, DRAWN_ALLOWED, DRAWN_REFUSALS, bucket_rates
from crossgate.service.refusals import AllowedKey, GroupKey
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
    batch: int = 1
    """How many requests come at once, and then none until it is their turn again: a closed loop."""


@dataclass
class Node:
    """One node and the groups that its reports are added to, until ``finish()``."""

    sources: list[Source]
    random: Random
    rates: Mapping[str, int] = field(default_factory=lambda: rates(100))
    name: str = "node-1"

    def __post_init__(self) -> None:
        self.groups = RefusalGroups(lambda _: DAY_KEY, self.rates)
        self.true: Counter[tuple[DecisionSeries, str]] = Counter()
        """Requests by series and origin; origins of a flood are one."""
        self.counted: Counter[GroupKey | AllowedKey] = Counter()
        self.sampled: Counter[GroupKey | AllowedKey] = Counter()
        self.variance: defaultdict[GroupKey | AllowedKey, float] = defaultdict(float)
        self.others: Counter[tuple[str, str]] = Counter()
        self.rows = 0
        self._tokens = dict.fromkeys(self.rates, (0.0, 1e9))
        """When tokens of each bucket were counted, and how many there were."""
        self._late: list[tuple[float, SampledRequest]] = []
        self._counters: Counter[DecisionSeries] = Counter()
        self._flushed: Counter[DecisionSeries] = Counter()
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
        arrived: list[tuple[float, Source]] = []
        for source in self.sources:
            if source.start <= elapsed < source.end:
                for _ in range(_poisson(source.per_second / source.batch * TICK, self.random)):
                    arrived += [(elapsed + self.random.random() * TICK, source)] * source.batch
        for time, source in sorted(arrived, key=itemgetter(0)):
            self._arrive(time, source)
        if self._late and self._ticks % 10 == 0:
            for time, request in self._late:
                if time <= now:
                    self.groups.add(request)
            self._late = [item for item in self._late if item[0] > now]
        if self._ticks % 500 == 0:
            self._report(now)

    def _arrive(self, time: float, source: Source) -> None:
        request = source.request
        self._counters[request.series] += 1
        self.true[request.series, request.origin] += 1
        refused = _is_refused(request)
        admitted = self._take_token(
            ("refusals-browsers" if request.fetch_mode else "refusals") if refused else "allowed", time
        )
        drawn = self.random.random() < 1 / DRAW_ONE_OF and self._take_token(
            DRAWN_REFUSALS if refused else DRAWN_ALLOWED, time
        )
        if not admitted and not drawn:
            return
        request = replace(request, time=NOON + time, node=self.name, request_id=str(next(self._numbers)))
        if source.random_origins:
            request = replace(request, origin=f"https://{request.request_id}.flood.example")
        for is_drawn, reported in ((False, admitted), (True, drawn)):
            if reported:
                late = NOON + time + self.random.random()
                self._late.append((late, replace(request, drawn=is_drawn)))

    def _take_token(self, bucket: str, time: float) -> bool:
        counted, tokens = self._tokens[bucket]
        rate = self.rates[bucket]
        tokens = min(tokens + (time - counted) * rate, rate)
        taken = tokens >= 1
        self._tokens[bucket] = time, tokens - taken
        return taken

    def _report(self, now: float) -> None:
        # The node sent its counters some time ago.
        current = self._counters.copy()
        self.groups.counted(
            {series: value - self._flushed[series] for series, value in current.items()},
            now,
        )
        self._flushed = current
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


def rates(refusals: int, *, allowed: int = 10) -> Mapping[str, int]:
    """Buckets that pass so many a second, and all drawn requests."""
    few = bucket_rates(Telemetry(refusals_per_second=refusals, allowed_per_second=allowed))
    return {**few, DRAWN_REFUSALS: 1000}


def _is_refused(request: SampledRequest) -> bool:
    return request.series.reason not in ("origin-allowed", "preflight-allowed")


def _poisson(mean: float, random: Random) -> int:
    if mean > 20:
        return max(round(random.gauss(mean, mean**0.5)), 0)
    number = 0
    time = random.expovariate(1.0)
    while time < mean:
        number += 1
        time += random.expovariate(1.0)
    return number
