"""Whether an API in observe mode can be enforced: a computed answer with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.policy import Mode
from crossgate.service.refusals import DispositionKind, OtherRefusals, RefusalGroup
from crossgate.service.replay import FateKind, Replayer

DAYS_OF_TRAFFIC: Final = 7


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether ``enforce`` would refuse nothing that anybody misses, and what shows it."""

    api: str
    ready: bool
    missing: tuple[str, ...]
    """What is missing, each as one sentence; empty if it is ready."""
    first_seen: datetime | None
    """The hour of the first decision in observe mode that is kept; None without traffic."""
    days_with_traffic: int
    """Days (UTC) with at least one such decision."""
    requests: int
    """Such decisions."""
    refused: float
    """Of these, requests that ``enforce`` would still refuse."""
    error: float
    """Of ``refused``."""
    open: tuple[RefusalGroup, ...]
    """Groups that it would still refuse and that nobody dismissed."""
    dismissed: tuple[RefusalGroup, ...]
    """Groups that it would still refuse, as somebody decided."""
    resolved: tuple[RefusalGroup, ...]
    """Groups that the policy allows now."""


def ready_to_enforce(
    catalogue: Catalogue,
    api: str,
    decisions: Mapping[tuple[datetime, DecisionSeries], int],
    groups: Iterable[RefusalGroup],
    now: datetime,
    days: int = DAYS_OF_TRAFFIC,
    others: Iterable[OtherRefusals] = (),
) -> Readiness:
    """Whether the API can be enforced, judged by the policy that it has now.

    ``decisions`` by hour, ``groups``, and ``others``, which are in no group, reach back as far as they are
    kept. Only what was decided in observe mode counts.
    """
    hours = {
        hour: count for (hour, series), count in _of_api(decisions, api) if series.observed and count > 0
    }
    open_, dismissed, resolved = _sort(catalogue, [one for one in groups if _concerns(one, api)])
    ungrouped = [one for one in others if one.api == api and one.observed]
    still: list[RefusalGroup | OtherRefusals] = [*open_, *dismissed, *ungrouped]
    missing = (
        *_find_mode_errors(catalogue, api),
        *_find_missing_traffic(sorted(hours), now, days),
        *_find_undecided(open_, ungrouped),
    )
    return Readiness(
        api,
        ready=not missing,
        missing=missing,
        first_seen=min(hours, default=None),
        days_with_traffic=len({hour.date() for hour in hours}),
        requests=sum(count for (_, series), count in _of_api(decisions, api) if series.observed),
        refused=sum(one.count for one in still),
        error=1.96 * sqrt(sum(one.variance for one in still)),
        open=open_,
        dismissed=dismissed,
        resolved=resolved,
    )


def _of_api(
    decisions: Mapping[tuple[datetime, DecisionSeries], int], api: str
) -> Iterator[tuple[tuple[datetime, DecisionSeries], int]]:
    return ((key, count) for key, count in decisions.items() if key[1].api == api)


def _concerns(group: RefusalGroup, api: str) -> bool:
    return group.key.api == api and group.key.observed


_Groups = tuple[RefusalGroup, ...]


def _sort(catalogue: Catalogue, groups: Sequence[RefusalGroup]) -> tuple[_Groups, _Groups, _Groups]:
    """The groups that are open, dismissed, and allowed now; those of most requests first."""
    replayer = Replayer(catalogue)
    open_, dismissed, resolved = list[RefusalGroup](), list[RefusalGroup](), list[RefusalGroup]()
    for group in sorted(groups, key=lambda one: (-one.count, one.key)):
        fate = replayer.fate(group)
        if fate is not None and fate.kind is FateKind.ALLOWED:
            resolved.append(group)
        elif group.disposition is not None and group.disposition.kind is DispositionKind.DISMISSED:
            dismissed.append(group)
        else:
            open_.append(group)
    return tuple(open_), tuple(dismissed), tuple(resolved)


def _find_mode_errors(catalogue: Catalogue, api: str) -> Iterator[str]:
    found = catalogue.apis.get(api)
    if catalogue.server_policy is not None:
        yield "Server-level CORS is enabled: no policy of an API is in force"
    if found is None:
        yield "The API does not exist"
    elif found.cors is None:
        yield "The API has no policy"
    elif found.cors.mode is not Mode.OBSERVE:
        yield "The policy is enforced already"


def _find_missing_traffic(hours: Sequence[datetime], now: datetime, days: int) -> Iterator[str]:
    period = timedelta(days=days)
    if not hours:
        yield "No request was seen in observe mode"
        return
    if now - hours[0] < period:
        seen = int((now - hours[0]) / timedelta(days=1))
        yield f"Traffic began {_counted(seen, 'day')} ago: {_counted(days, 'day')} must pass"
    if now - hours[-1] > period:
        yield f"No request was seen in the last {_counted(days, 'day')}"


def _find_undecided(open_: _Groups, ungrouped: Sequence[OtherRefusals]) -> Iterator[str]:
    if open_:
        requests = _counted(round(sum(one.count for one in open_)), "request")
        groups = _counted(len(open_), "group")
        yield f"{groups} neither allowed nor dismissed: {requests}"
    if ungrouped:
        requests = _counted(round(sum(one.count for one in ungrouped)), "request")
        yield f"{requests} would be refused that are in no group, because there were too many groups"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
