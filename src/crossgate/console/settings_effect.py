"""What a plan for the settings or the gateway would do, as its page shows it before saving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_JUDGED: Final = ("policy", "observed")
_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class OriginEffect:
    """An origin or a pattern that gains or loses access, and at how many APIs."""

    origin: str
    apis: int
    requests: int
    """Recorded requests of this origin that would be treated otherwise."""


@dataclass(frozen=True, slots=True)
class OriginEffects:
    """All that gain, or all that lose."""

    every: tuple[OriginEffect, ...] = ()

    @property
    def first(self) -> tuple[OriginEffect, ...]:
        """Those that are listed at once."""
        return self.every[:_LISTED]

    @property
    def others(self) -> tuple[OriginEffect, ...]:
        """Those that open."""
        return self.every[_LISTED:]


_NOBODY: Final = OriginEffects()


@dataclass(frozen=True, slots=True)
class PlanEffect:
    """Who gains and who loses, and what becomes of the policies."""

    overridden: int = 0
    """APIs whose policy stops being enforced."""
    restored: int = 0
    """APIs whose policy is enforced again."""
    without_policy: int = 0
    """APIs without a policy that the server-level one judges from now on."""
    gains: OriginEffects = _NOBODY
    loses: OriginEffects = _NOBODY
    gained_requests: int = 0
    lost_requests: int = 0

    @property
    def empty(self) -> bool:
        """Whether nobody gains or loses anything."""
        return self == PlanEffect()


def plan_effect(plan: Mapping[str, Any]) -> PlanEffect:
    """The effect of a plan, from the body of `POST /v1/plan`."""
    access, replay = plan["access"], plan["replay"] or {}
    return PlanEffect(
        overridden=_count(access, _JUDGED, ("server",)),
        restored=_count(access, ("server",), _JUDGED),
        without_policy=_count(access, ("native",), ("server",)),
        gains=_origins(access, "gains", replay.get("gained", ())),
        loses=_origins(access, "loses", replay.get("lost", ())),
        gained_requests=replay.get("gained_requests", 0),
        lost_requests=replay.get("lost_requests", 0),
    )


def _count(access: Iterable[Mapping[str, Any]], before: Sequence[str], after: Sequence[str]) -> int:
    return sum(one["before"] in before and one["after"] in after for one in access)


def _origins(
    access: Iterable[Mapping[str, Any]], side: str, replayed: Iterable[Mapping[str, Any]]
) -> OriginEffects:
    apis = Counter(origin for one in access for origin in one[side])
    requests: Counter[str] = Counter()
    for one in replayed:
        requests[one["origin"]] += one["count"]
    found = (OriginEffect(origin, count, requests[origin]) for origin, count in apis.items())
    # Origins that a pattern covers are not in the plan's lists, and have requests.
    covered = (OriginEffect(origin, 0, count) for origin, count in requests.items() if origin not in apis)
    return OriginEffects(
        tuple(sorted((*found, *covered), key=lambda one: (-one.requests, -one.apis, one.origin)))
    )
