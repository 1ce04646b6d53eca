"""Refused requests by group and allowed origins, from samples and counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.refusals import AllowedDelta, AllowedKey, GroupDelta, GroupKey
from crossgate.telemetry.group_keys import (
    REFUSALS,
    allowed_key,
    has_allowed_origin,
    other_allowed_key,
    others_key,
    refusal_key,
)
from crossgate.telemetry.sampled_request import SampledRequest

_CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class BucketRates:
    """Entries a second that each token bucket of a node passes; as many at once after a pause."""

    refusals: int = 1000
    browsers: int = 1000
    allowed: int = 50


class RefusalGroups:
    """Groups of refused requests since they were last taken. Not thread-safe; never blocks.

    ``client_key`` returns the key of a day for hashes of clients' addresses, or None while it is unknown:
    then clients are not counted. It must not block.
    """

    def __init__(
        self, client_key: Callable[[datetime], bytes | None], rates: BucketRates | None = None
    ) -> None:
        self._client_key = client_key
        self.rates = rates or BucketRates()
        self._refused: dict[GroupKey, tuple[int, float, float]] = {}
        self._allowed: dict[AllowedKey, tuple[int, float]] = {}

    def add(self, sample: SampledRequest) -> None:
        """Count a reported request. Report all of them, also those that a native service refused."""
        reason, time = sample.series.reason, sample.time
        if reason in REFUSALS:
            key = refusal_key(sample)
            if key not in self._refused and len(self._refused) >= _CAPACITY:
                key = others_key(key.api, key.reason, observed=key.observed)
            count, first, _ = self._refused.get(key, (0, time, time))
            self._refused[key] = count + 1, first, time
        elif has_allowed_origin(sample):
            allowed = allowed_key(sample)
            if allowed not in self._allowed and len(self._allowed) >= _CAPACITY:
                allowed = other_allowed_key(allowed.api)
            self._allowed[allowed] = self._allowed.get(allowed, (0, time))[0] + 1, time

    def counted(
        self, increments: Mapping[DecisionSeries, int], denied: Mapping[str, int] | None, now: float
    ) -> None:
        """Note what the counters of the control plane's nodes counted since the last call.

        ``denied`` is how many entries the token buckets of each node denied meanwhile, by node; a node that
        is missing, or None, means that it is unknown.
        """

    def take(self, now: float) -> tuple[Sequence[GroupDelta], Sequence[AllowedDelta]]:
        """What changed since the last call, refused and allowed."""
        hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
        groups = [
            GroupDelta(key, hour, count, float(count), 0.0, _at(first), _at(last))
            for key, (count, first, last) in self._refused.items()
        ]
        allowed = [AllowedDelta(key, float(count), _at(last)) for key, (count, last) in self._allowed.items()]
        self._refused.clear()
        self._allowed.clear()
        return groups, allowed


def _at(time: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=time)
