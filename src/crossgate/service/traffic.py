"""Decisions over time by kind: what a chart of the gateway's traffic shows.

All decisions of the gateway are kept by minute for some hours and by hour for 8 days, in few rows, however
many APIs there are. What a caller with a limit can see is counted from the decisions of its APIs, by hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from crossgate.compiler.route_names import UNMATCHED, DecisionSeries
from crossgate.policy.decision import Reason

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
KEPT_MINUTES: Final = timedelta(hours=3)
"""Decisions of the hours that ended so long ago are kept by hour."""
KEPT_TRAFFIC: Final = timedelta(days=8)


class DecisionKind(StrEnum):
    """What became of a request, and of a refused one the part of the policy that refused it."""

    ALLOWED = "allowed"
    ORIGIN = "origin"
    METHOD = "method"
    """Also OPTIONS requests that are no preflights: they get the same response."""
    HEADER = "header"
    OBSERVED = "observed"
    """Forwarded, and refused if the policy were enforced."""
    OTHER = "other"
    """Refused before any policy, or by the host of server-level CORS."""

    # The hash of Enum is a Python function; every counter's kind is hashed.
    __hash__ = str.__hash__


_REFUSALS: Final[Mapping[str, DecisionKind]] = {
    Reason.ORIGIN_REFUSED: DecisionKind.ORIGIN,
    Reason.METHOD_REFUSED: DecisionKind.METHOD,
    Reason.METHOD_MISSING: DecisionKind.METHOD,
    Reason.ORIGIN_MISSING: DecisionKind.METHOD,
    Reason.HEADER_REFUSED: DecisionKind.HEADER,
    Reason.HOST_REFUSED: DecisionKind.OTHER,
    Reason.PATH_MALFORMED: DecisionKind.OTHER,
    Reason.HOST_MALFORMED: DecisionKind.OTHER,
    Reason.METHOD_FORBIDDEN: DecisionKind.OTHER,
    UNMATCHED.reason: DecisionKind.OTHER,
}

TrafficCounts = Mapping[tuple[datetime, DecisionKind], int]
"""Decisions by the beginning (UTC) of their minute or hour, and by kind."""


REFUSAL_REASONS: Final = frozenset(_REFUSALS)
"""The reasons for which a request is refused, or observed."""

RefusedCounts = Mapping[tuple[str, DecisionKind], int]
"""Refused and observed decisions by API and kind."""


def decision_kind(series: DecisionSeries) -> DecisionKind:
    """The kind of the decisions that a counter counts."""
    kind = _REFUSALS.get(series.reason, DecisionKind.ALLOWED)
    refused = kind not in (DecisionKind.ALLOWED, DecisionKind.OTHER)
    return DecisionKind.OBSERVED if series.observed and refused else kind


class TrafficPeriod(StrEnum):
    """How far a chart goes back."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Decisions in steps of equal length; the last step is not over yet."""

    since: datetime
    step: timedelta
    counts: tuple[Mapping[DecisionKind, int], ...]

    @property
    def totals(self) -> Mapping[DecisionKind, int]:
        """The sums over all steps."""
        return _sum(self.counts)


_STEPS: Final = {TrafficPeriod.HOUR: 60, TrafficPeriod.DAY: 24, TrafficPeriod.WEEK: 168}


def traffic_window(period: TrafficPeriod, now: datetime, *, by_hour: bool) -> tuple[datetime, timedelta, int]:
    """The beginning, the step and the number of steps; the last one contains ``now``.

    With ``by_hour``, the last hour is this one and the one before, since minutes are not known.
    """
    if period is TrafficPeriod.HOUR and not by_hour:
        begin = now.replace(second=0, microsecond=0)
        return begin - (_STEPS[period] - 1) * MINUTE, MINUTE, _STEPS[period]
    begin = now.replace(minute=0, second=0, microsecond=0)
    steps = 2 if period is TrafficPeriod.HOUR else _STEPS[period]
    return begin - (steps - 1) * HOUR, HOUR, steps


def traffic_of(since: datetime, step: timedelta, steps: int, found: Iterable[TrafficCounts]) -> Traffic:
    """The counts of all ``found`` by step."""
    sums = [Counter[DecisionKind]() for _ in range(steps)]
    for counts in found:
        for (at, kind), count in counts.items():
            place = (at - since) // step
            if 0 <= place < steps:
                sums[place][kind] += count
    return Traffic(since, step, tuple(sums))


def _sum(counts: Iterable[Mapping[DecisionKind, int]]) -> Mapping[DecisionKind, int]:
    total = Counter[DecisionKind]()
    for one in counts:
        total.update(one)
    return total
