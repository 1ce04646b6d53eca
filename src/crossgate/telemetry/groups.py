"""Refused requests by group and allowed origins, from samples and counters, in bounded memory.

A group is counted by its samples (`tracked`), and by its share of what was not sampled (`scaling`). What
clients send is bounded three times: a key has a length (`group_keys`); the table of groups has places
(`heavy_hitters`); and so have the new groups that are handed on (`admission`). What is in no group of its own
is counted as others of its API and reason, so the sum of all counts is the sum of the counters, but for the
last seconds.

The bound in memory, whatever is sent: `MAX_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from crossgate.catalogue.telemetry import Telemetry
from crossgate.compiler.route_names import DecisionSeries
from crossgate.compiler.token_buckets import bucket_rates
from crossgate.service.refusals import AllowedDelta, GroupDelta, OtherRefusals
from crossgate.telemetry.admission import Admission
from crossgate.telemetry.group_keys import (
    REFUSALS,
    allowed_key_of,
    any_combination,
    has_allowed_origin,
    key_parts,
    others_of,
    refusal_key_of,
)
from crossgate.telemetry.heavy_hitters import FairTable
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.scaling import StratumKey
from crossgate.telemetry.settlement import COUNTED, Settlement
from crossgate.telemetry.tracked import DAY, FamilyKey, Pending, Tracked, client_hash

MAX_GROUPS: Final = 8192
MAX_ALLOWED: Final = 2048
MAX_COMBINATIONS: Final = 16
"""Groups of one API, reason and origin with other methods and header names, of browsers and of others each;
the rest are one group more."""
MAX_BYTES: Final = 96 << 20
"""What refused and allowed groups take at most: 4 KiB for the longest key, 1 KiB for clients, and what is in
the cells. A flood of random origins takes a quarter."""

_IDLE: Final = 900.0
"""Seconds after which a group leaves the memory; the store keeps it."""
_CROWD: Final = 256
"""Groups of one API and reason, beyond which the first request of a group is only counted."""
_SWEEP: Final = 60.0
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_LATEST: Final = 2.0**36
_SKEW: Final = 3600.0


class TakenGroups(NamedTuple):
    """What is new since the last call."""

    groups: Sequence[GroupDelta]
    allowed: Sequence[AllowedDelta]
    others: Sequence[OtherRefusals]
    """Refusals in no group of their own. Other allowed requests are known from the counters only."""


class RefusalGroups:
    """Refused requests by group, and allowed origins, since they were last taken. Not thread-safe.

    ``client_key`` returns the key of a day for hashes of clients' addresses, or None while it is unknown:
    then clients are not counted. It must not block.
    """

    def __init__(
        self, client_key: Callable[[datetime], bytes | None], rates: Mapping[str, int] | None = None
    ) -> None:
        self._client_key = client_key
        self._day = -1
        self._day_key: bytes | None = None
        self._now: float | None = None
        self._swept = 0.0
        self._refused: FairTable[FamilyKey, Tracked] = FairTable(MAX_GROUPS)
        self._allowed: FairTable[FamilyKey, Tracked] = FairTable(MAX_ALLOWED)
        self._combinations: dict[tuple[str, str, str, bool], int] = {}
        self._others: dict[StratumKey, Tracked] = {}
        self._settlement = Settlement(self._others_of, rates or bucket_rates(Telemetry()))
        self._admission = Admission()
        self.displaced = 0
        """How many groups of refusals left the table for others."""

    @property
    def size(self) -> int:
        """How many groups of refusals are in the table."""
        return len(self._refused)

    def configure(self, rates: Mapping[str, int]) -> None:
        """Set what each token bucket of a node admits in a second."""
        self._settlement.rates = rates

    def add(self, sample: SampledRequest) -> None:
        """Count a reported request. One that was drawn is counted later, if it is not reported otherwise."""
        refused = sample.series.reason in REFUSALS
        if not refused and not has_allowed_origin(sample):
            return
        time = self._sane(sample.time)
        group = self._find(sample, refused=refused)
        group.sample(time, counted=not sample.drawn)
        if refused:
            # In a flood, nearly all groups are seen once.
            if group.seen > 1 or self._refused.size(group.family) <= _CROWD:
                group.look(sample)
            self._count_client(group, sample.address, int(time) // DAY)
        self._settlement.report(sample, time, group.share)

    def _count_client(self, group: Tracked, address: str, day: int) -> None:
        if day != self._day or self._day_key is None:
            self._day, self._day_key = day, self._client_key(_at(day * DAY))
        if self._day_key is not None and address:
            group.count_client(client_hash(address, self._day_key), day)

    def counted(self, increments: Mapping[DecisionSeries, int], now: float) -> None:
        """Note what the counters of the control plane's nodes counted since the last call, some seconds ago.

        Call it every five seconds, also if nothing was counted.
        """
        self._now = now
        decisions: dict[StratumKey, int] = {}
        for series, increment in increments.items():
            if series.reason in COUNTED:
                key = series.api, series.reason, series.observed
                decisions[key] = decisions.get(key, 0) + increment
        self._settlement.counted(decisions, now)

    def take(self, now: float, *, last: bool = False) -> TakenGroups:
        """What is new since the last call; the ``last`` one leaves nothing that waits for more."""
        self._now = now
        if last:
            self._settlement.settle_all(now)
        else:
            self._settlement.settle_lost(now)
        groups: list[GroupDelta] = []
        allowed: list[AllowedDelta] = []
        for group in self._taken(now, last=last):
            for pending in group.pending:
                if group.family[1] in REFUSALS:
                    groups.append(_group_delta(group, pending))
                else:
                    newest = _at(pending.last)
                    allowed.append(AllowedDelta(allowed_key_of(group.parts), pending.count, newest))
            group.pending.clear()
        others: list[OtherRefusals] = []
        for (api, reason, observed), group in self._others.items():
            if reason in REFUSALS:
                others += (
                    _other_refusals(api, reason, pending, observed=observed) for pending in group.pending
                )
            group.pending.clear()
        if now - self._swept >= _SWEEP:
            self._swept = now
            self._sweep(now)
        return TakenGroups(groups, allowed, others)

    def _taken(self, now: float, *, last: bool) -> Iterator[Tracked]:
        """The groups that are handed on: those that have requests, and a place if they are new."""
        new: list[Tracked] = []
        for table in (self._refused, self._allowed):
            for group in table:
                if group.pending:
                    if group.known:
                        yield group
                    else:
                        new.append(group)
        yield from self._admission.admit(new, now)
        if last:
            for group in new:
                if not group.known:
                    group.become_others()

    def _sane(self, time: float) -> float:
        """The time of a node, whose clock may be wrong."""
        now = self._now
        if now is None:
            return min(max(time, 0.0), _LATEST)
        return min(max(time, now - _SKEW), now + _SKEW)

    def _find(self, sample: SampledRequest, *, refused: bool) -> Tracked:
        parts = key_parts(sample)
        table = self._refused if refused else self._allowed
        found = table.get(parts)
        if found is not None:
            return found
        # Apart: otherwise scripts that send the origin of a page hide what its browsers ask for.
        same = *parts[:3], bool(sample.fetch_mode)
        if self._combinations.get(same, 0) >= MAX_COMBINATIONS:
            parts = any_combination(parts)
            found = table.get(parts)
            if found is not None:
                return found
        series = sample.series
        family = series.api, series.reason, series.observed, bool(sample.fetch_mode)
        found = Tracked(family, parts, self._others_of(family[:3]))
        self._combinations[same] = self._combinations.get(same, 0) + 1
        displaced = table.insert(found)
        if displaced is not None:
            self._forget(displaced)
            self.displaced += refused
        return found

    def _others_of(self, key: StratumKey) -> Tracked:
        others = self._others.get(key)
        if others is None:
            api, reason, observed = key
            others = self._others[key] = Tracked((*key, False), others_of(api, reason, observed=observed))
        return others

    def _forget(self, group: Tracked) -> None:
        """Count a group that left the table as others."""
        same = *group.parts[:3], group.family[3]
        left = self._combinations[same] - 1
        if left:
            self._combinations[same] = left
        else:
            del self._combinations[same]
        group.become_others()

    def _sweep(self, now: float) -> None:
        """Drop what was not used for long. What comes again begins anew."""

        def idle(group: Tracked) -> bool:
            return not group.pending and now - group.last_sampled > _IDLE

        for table in (self._refused, self._allowed):
            for group in table.drop(idle):
                self._forget(group)
        for key in self._settlement.forget(now):
            self._others.pop(key, None)
        self._admission.forget(now)


def _group_delta(group: Tracked, pending: Pending) -> GroupDelta:
    return GroupDelta(
        refusal_key_of(group.parts),
        _at(pending.hour),
        pending.sampled,
        pending.count,
        pending.variance,
        _at(pending.first),
        _at(pending.last),
        group.clients_of(pending.hour // DAY),
        group.seen_in,
    )


def _other_refusals(api: str, reason: str, pending: Pending, *, observed: bool) -> OtherRefusals:
    last = _at(pending.last)
    return OtherRefusals(api, reason, observed, pending.sampled, pending.count, pending.variance, last)


def _at(time: float) -> datetime:
    return _EPOCH + timedelta(seconds=time)
