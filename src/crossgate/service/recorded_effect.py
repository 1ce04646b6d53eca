"""What a change would have made of the recorded requests of the last 24 hours, by origin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from crossgate.service.refusals import AllowedOrigin, RefusalGroup
from crossgate.service.replay import FateKind, Replay, TelemetryRecords

PERIOD: Final = timedelta(hours=24)
"""Recorded requests of this time are replayed."""


@dataclass(frozen=True, slots=True)
class AffectedOrigin:
    """Recorded requests of one origin that a change would treat otherwise."""

    origin: str
    clients: int | None
    """Distinct addresses, estimated; None where they are not counted."""
    requests: float


@dataclass(frozen=True, slots=True)
class RecordedEffect:
    """What a change would have made of the recorded requests of the last 24 hours."""

    refusals: float
    """All that were refused or observed."""
    turned: float
    """Of these, those that would pass."""
    refused: float
    """Requests that passed and would be refused, estimated."""
    gains: tuple[AffectedOrigin, ...]
    """Those of most requests come first, here and in ``loses``."""
    loses: tuple[AffectedOrigin, ...]
    unknown: int = 0
    """Records that have too little to tell."""


def records_since(records: TelemetryRecords, since: datetime) -> TelemetryRecords:
    """The records of the time since then; the count of a group is that of these hours."""
    first = since.replace(minute=0, second=0, microsecond=0)
    groups = []
    for one in records.groups:
        count = sum(requests for hour, requests in one.hours.items() if hour >= first)
        if count:
            groups.append(replace(one, count=count, hours={}))
    return TelemetryRecords(groups, [one for one in records.allowed if one.last_seen >= since])


def recorded_effect(records: TelemetryRecords, replay: Replay | None) -> RecordedEffect:
    """The effect of a change whose replay on the records is given."""
    found = replay or Replay()
    gained = [one.record for one in found.gained if one.after.kind is FateKind.ALLOWED]
    lost = [one.record for one in found.lost if one.before.kind is FateKind.ALLOWED]
    gains, loses = _by_origin(gained), _by_origin(lost)
    return RecordedEffect(
        sum(one.count for one in records.groups),
        sum(one.requests for one in gains),
        sum(one.requests for one in loses),
        gains,
        loses,
        len(found.unknown),
    )


def _by_origin(records: Iterable[RefusalGroup | AllowedOrigin]) -> tuple[AffectedOrigin, ...]:
    requests = defaultdict[str, float](float)
    clients: dict[str, int | None] = {}
    for one in records:
        origin = one.key.origin
        requests[origin] += one.count
        if isinstance(one, RefusalGroup):
            # A preflight and what follows it come from the same clients.
            clients[origin] = max(clients.get(origin) or 0, one.clients)
        else:
            clients.setdefault(origin, None)
    ordered = sorted(requests.items(), key=lambda one: (-one[1], one[0]))
    return tuple(AffectedOrigin(origin, clients[origin], count) for origin, count in ordered)
