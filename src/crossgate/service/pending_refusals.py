"""Refusals that a control plane collected and has not stored yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service import hyperloglog
from crossgate.service.ports import CounterKey
from crossgate.service.refusals import GroupDelta, RefusalGroup, RequestRecord
from crossgate.service.telemetry_rules import KeptGroup, merge_samples


class NothingRecent:
    """A :class:`~crossgate.service.ports.RecentTelemetry` of a control plane that collects nothing."""

    def pending_groups(self) -> Sequence[GroupDelta]:
        """None."""
        return ()

    def pending_decisions(self) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """None."""
        return {}

    def totals(self) -> Mapping[CounterKey, int]:
        """None."""
        return {}

    def find_request(self, request_id: str) -> RequestRecord | None:
        """None."""
        del request_id
        return None

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Never call ``callback``."""
        del callback
        return lambda: None


def add_deltas(
    groups: Iterable[RefusalGroup], deltas: Iterable[GroupDelta], *, only_known: bool = False
) -> list[RefusalGroup]:
    """The groups with what is not stored yet; with ``only_known``, without groups that are new."""
    found = {one.key: one for one in groups}
    for delta in deltas:
        known = found.get(delta.key)
        if known is not None:
            found[delta.key] = _add(known, delta)
        elif not only_known:
            group = KeptGroup.of(delta).group
            found[delta.key] = replace(group, hours={delta.hour: delta.count})
    return list(found.values())


def _add(group: RefusalGroup, delta: GroupDelta) -> RefusalGroup:
    return replace(
        group,
        sampled=group.sampled + delta.sampled,
        count=group.count + delta.count,
        variance=group.variance + delta.variance,
        first_seen=min(group.first_seen, delta.first_seen),
        last_seen=max(group.last_seen, delta.last_seen),
        # The registers of the stored clients are in the store.
        clients=max(group.clients, hyperloglog.estimate(delta.clients)),
        seen_in=merge_samples(group.seen_in, delta.seen_in),
        hours={**group.hours, delta.hour: group.hours.get(delta.hour, 0.0) + delta.count},
    )
