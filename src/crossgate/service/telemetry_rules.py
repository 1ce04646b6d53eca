"""What all stores of telemetry do alike: how refusals are merged, what is kept for how long, what goes first.

Pure, so that a gateway with a file, SQLite and PostgreSQL keep the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.service import hyperloglog
from crossgate.service.ports import TelemetryBatch
from crossgate.service.refusals import (
    AllowedKey,
    AllowedOrigin,
    GroupDelta,
    GroupKey,
    OtherRefusals,
    RefusalGroup,
    SeenIn,
)

MAX_KEY_LENGTH: Final = 2_000
"""Characters that requests may contribute to the key of a group."""
MAX_VALUES: Final = 5
"""Values of each kind that a group keeps of its samples."""
MAX_VALUE_LENGTH: Final = 200
KEPT_HOURS: Final = timedelta(days=7)
"""How long the counts of groups by hour are kept."""
KEPT_DECISION_HOURS: Final = timedelta(days=8)
"""Decisions before the day that began so long before today are kept by day."""
SUMMED_AFTER: Final = timedelta(days=1)
"""How long the counters of an ended process are kept, before only their sum is: late reports may come."""
NO_API: Final = frozenset({"", SERVER_LEVEL})
"""In the place of an API in series that belong to none."""
KEY_BYTES: Final = 32
"""The size of the secret keys for hashes of clients' addresses."""
HALF_LIFE: Final = timedelta(days=1)
"""After this time, a group that was not seen again counts half when groups are dropped."""


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """A group, without its hours, and the registers of the clients of its last day."""

    group: RefusalGroup
    day: date
    registers: bytes

    @classmethod
    def of(cls, delta: GroupDelta) -> KeptGroup:
        """A new group with these refusals."""
        group = RefusalGroup(
            delta.key,
            delta.sampled,
            delta.count,
            delta.variance,
            delta.first_seen,
            delta.last_seen,
            hyperloglog.estimate(delta.clients),
            merge_samples(SeenIn(), delta.seen_in),
        )
        return cls(group, day_of(delta.hour), delta.clients)

    def add(self, delta: GroupDelta) -> KeptGroup:
        """The group with more refusals.

        The keys of days differ, so only the registers of one day can be merged.
        """
        day, registers, found = day_of(delta.hour), self.registers, delta.clients
        if day == self.day:
            registers = found = hyperloglog.merge(registers, found)
        elif day > self.day:
            registers = found
        known = self.group
        group = RefusalGroup(
            known.key,
            known.sampled + delta.sampled,
            known.count + delta.count,
            known.variance + delta.variance,
            min(known.first_seen, delta.first_seen),
            max(known.last_seen, delta.last_seen),
            known.clients if found == self.registers else max(known.clients, hyperloglog.estimate(found)),
            merge_samples(known.seen_in, delta.seen_in),
            known.disposition,
        )
        return KeptGroup(group, max(day, self.day), registers)


def day_of(moment: datetime) -> date:
    """The day (UTC)."""
    return moment.astimezone(UTC).date()


def midnight(moment: datetime) -> datetime:
    """The beginning of the day (UTC)."""
    return datetime.combine(day_of(moment), time(), UTC)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour (UTC)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def merge_samples(known: SeenIn, more: SeenIn) -> SeenIn:
    """The values of both, a few of each kind."""
    return SeenIn(
        known.path or more.path[:MAX_VALUE_LENGTH],
        _few(known.user_agents, more.user_agents),
        _few(known.fetch_sites, more.fetch_sites),
        _few(known.fetch_modes, more.fetch_modes),
        _few(known.fetch_dests, more.fetch_dests),
    )


def _few(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    if all(one in known for one in more):
        return known
    return tuple(dict.fromkeys([*known, *(one[:MAX_VALUE_LENGTH] for one in more)]))[:MAX_VALUES]


def bounded(batch: TelemetryBatch) -> TelemetryBatch:
    """The batch without groups and allowed origins whose keys are too long; such groups are counted."""
    too_long = [one for one in batch.groups if not _fits(one.key)]
    return replace(
        batch,
        groups=[one for one in batch.groups if _fits(one.key)],
        allowed=[one for one in batch.allowed if _fits(one.key)],
        others=[*batch.others, *map(as_other, too_long)],
    )


def _fits(key: GroupKey | AllowedKey) -> bool:
    return len(key.origin) + len(key.method) + sum(len(one) + 1 for one in key.headers) <= MAX_KEY_LENGTH


def as_other(group: GroupDelta | RefusalGroup) -> OtherRefusals:
    """The refusals of a group that is not kept."""
    key = group.key
    return OtherRefusals(
        key.api, key.reason, key.observed, group.sampled, group.count, group.variance, group.last_seen
    )


def add_other(known: OtherRefusals, more: OtherRefusals) -> OtherRefusals:
    """Both together; they are of the same API, reason and mode."""
    return replace(
        known,
        sampled=known.sampled + more.sampled,
        count=known.count + more.count,
        variance=known.variance + more.variance,
        last_seen=max(known.last_seen, more.last_seen),
    )


@dataclass(frozen=True, slots=True)
class Droppable:
    """What decides whether a group or an allowed origin is kept."""

    id: str
    count: float
    first_seen: datetime
    last_seen: datetime
    clients: int = 0
    disposed: bool = False

    @classmethod
    def group(cls, one: RefusalGroup) -> Droppable:
        """A group."""
        disposed = one.disposition is not None
        return cls(one.key.id, one.count, one.first_seen, one.last_seen, one.clients, disposed)

    @classmethod
    def allowed(cls, one: AllowedOrigin) -> Droppable:
        """An allowed origin."""
        return cls(one.key.id, one.count, one.last_seen, one.last_seen)


def apis_over(sizes: Mapping[str, int], of_api: int, altogether: int) -> dict[str, int]:
    """The APIs that have too many, and how many each may keep. The largest give way first."""
    cap = of_api
    left, sharing = altogether, len(sizes)
    for size in sorted(sizes.values()):
        if size * sharing > left:
            cap = min(cap, left // sharing)
            break
        left -= size
        sharing -= 1
    return {api: cap for api, size in sizes.items() if size > cap}


def choose_dropped(candidates: Sequence[Droppable], kept: int) -> list[str]:
    """The ids of those to drop, so that ``kept`` remain.

    The newest quarter stays: who began a minute ago had no time to be frequent. So does the quarter with most
    clients: a flood from one machine has few.
    """
    excess = len(candidates) - kept
    if excess <= 0:
        return []
    quarter = kept // 4
    now = max(one.last_seen for one in candidates)
    free = [one for one in candidates if not one.disposed]
    newest = _first(quarter, sorted(free, key=lambda one: (one.first_seen, one.id), reverse=True))
    widest = _first(quarter, sorted(free, key=lambda one: (one.clients, one.count, one.id), reverse=True))
    protected = newest | widest

    def rank(one: Droppable) -> tuple[bool, bool, float, datetime, str]:
        weight = one.count * 0.5 ** ((now - one.last_seen) / HALF_LIFE)
        return one.disposed, one.id in protected, weight, one.last_seen, one.id

    return [one.id for one in sorted(candidates, key=rank)[:excess]]


def _first(number: int, ordered: Iterable[Droppable]) -> set[str]:
    return {one.id for _, one in zip(range(number), ordered, strict=False)}
