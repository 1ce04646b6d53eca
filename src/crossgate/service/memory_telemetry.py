"""Telemetry in memory, for a gateway that runs from a file: it ends with the process."""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import RLock
from typing import TypeVar

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey, StoredRefusals, TelemetryBatch, utc_now
from crossgate.service.refusals import (
    AllowedDelta,
    AllowedOrigin,
    Disposition,
    GroupDelta,
    OtherRefusals,
    RefusalGroup,
    SeenOrigin,
    TelemetryLimits,
)
from crossgate.service.telemetry_rules import (
    KEPT_DECISION_HOURS,
    KEPT_HOURS,
    KEY_BYTES,
    NO_API,
    SUMMED_AFTER,
    Droppable,
    KeptGroup,
    add_other,
    apis_over,
    as_other,
    bounded,
    choose_dropped,
    day_of,
    hour_of,
    midnight,
)
from crossgate.service.traffic import (
    KEPT_MINUTES,
    KEPT_TRAFFIC,
    REFUSAL_REASONS,
    DecisionKind,
    RefusedCounts,
    TrafficCounts,
    decision_kind,
)

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


@dataclass(slots=True)
class _Process:
    """What one control plane counted of one Envoy process, or the sum of its ended ones."""

    parts: dict[DecisionSeries, int]
    counted: datetime
    """The hour of the last count."""
    ended: bool = False
    summed: bool = False
    """Whether its parts were moved to the sum; what it still reports is not counted."""


class InMemoryTelemetryStore:
    """A :class:`~crossgate.service.ports.TelemetryStore` without a database."""

    def __init__(
        self, limits: TelemetryLimits | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._limits = limits or TelemetryLimits()
        self._clock = clock
        self._lock = RLock()
        # By control plane, node and incarnation; sums by control plane and node.
        self._processes: dict[tuple[str, str, str], _Process] = {}
        self._sums: dict[tuple[str, str], _Process] = {}
        self._decisions: Counter[tuple[datetime, DecisionSeries]] = Counter()
        self._traffic: Counter[tuple[datetime, DecisionKind]] = Counter()
        self._groups: dict[str, KeptGroup] = {}
        self._hours: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
        self._others: dict[tuple[date, str, str, bool], OtherRefusals] = {}
        self._allowed: dict[str, AllowedOrigin] = {}
        self._key: tuple[date, bytes] | None = None
        self._last_batch: dict[str, str] = {}
        self._version = 0
        """Of the groups: it grows with each change."""

    def own_counters(self, control_plane: str) -> Mapping[CounterKey, int]:
        """The parts that a control plane counted."""
        with self._lock:
            found: Counter[CounterKey] = Counter()
            for (owner, node, incarnation), process in self._processes.items():
                if owner == control_plane:
                    shown = "" if process.ended else incarnation
                    for series, value in process.parts.items():
                        found[CounterKey(node, shown, series)] += value
            for (owner, node), process in self._sums.items():
                if owner == control_plane:
                    for series, value in process.parts.items():
                        found[CounterKey(node, "", series)] += value
            return dict(found)

    def counted_elsewhere(
        self, control_plane: str, node: str, incarnation: str
    ) -> Mapping[DecisionSeries, int]:
        """What other control planes counted of one process."""
        with self._lock:
            found: Counter[DecisionSeries] = Counter()
            for (owner, *process_of), process in self._processes.items():
                if owner != control_plane and process_of == [node, incarnation]:
                    found.update(process.parts)
            return dict(found)

    def add_telemetry(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        """Store a batch."""
        batch = bounded(batch)
        with self._lock:
            same = defaultdict[tuple[str, str], list[_Process]](list)
            for (_, node, incarnation), counted in self._processes.items():
                same[node, incarnation].append(counted)
            parts = {key: self._count(batch, key, value, same) for key, value in batch.counters.items()}
            for node, incarnation in batch.ended:
                process = self._processes.get((batch.control_plane, node, incarnation))
                if process is not None:
                    process.ended = True
            if self._last_batch.get(batch.control_plane) != batch.id:
                self._last_batch[batch.control_plane] = batch.id
                self._version += 1
                for group in batch.groups:
                    self._add_group(group)
                for allowed in batch.allowed:
                    self._add_allowed(allowed)
                for other in batch.others:
                    self._add_other(other)
            self._drop()
            return parts

    def decisions(
        self, since: datetime, until: datetime, *, api: str | None = None
    ) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions by hour."""
        with self._lock:
            return {
                key: count
                for key, count in self._decisions.items()
                if since <= key[0] < until and api in (None, key[1].api)
            }

    def traffic(self, since: datetime, until: datetime, apis: Collection[str] | None = None) -> TrafficCounts:
        """Decisions by kind."""
        with self._lock:
            if apis is None:
                return {key: count for key, count in self._traffic.items() if since <= key[0] < until}
            found: Counter[tuple[datetime, DecisionKind]] = Counter()
            for (hour, series), count in self._decisions.items():
                if since <= hour < until and series.api in apis:
                    found[hour, decision_kind(series)] += count
            return found

    def refused_by_api(self, since: datetime, until: datetime, apis: Collection[str]) -> RefusedCounts:
        """Refused and observed requests of each API."""
        found: Counter[tuple[str, DecisionKind]] = Counter()
        with self._lock:
            for (hour, series), count in self._decisions.items():
                if since <= hour < until and series.api in apis and series.reason in REFUSAL_REASONS:
                    found[series.api, decision_kind(series)] += count
        return found

    def refusals(self, *, since: datetime | None = None, api: str | None = None) -> Sequence[RefusalGroup]:
        """The groups, the most frequent first."""
        with self._lock:
            found = [
                self._shown(id_)
                for id_, kept in self._groups.items()
                if (since is None or kept.group.last_seen >= since) and api in (None, kept.group.key.api)
            ]
        return sorted(found, key=lambda one: (-one.count, one.key.id))

    def all_refusals(self, known: StoredRefusals | None = None) -> StoredRefusals:
        """All groups, without their hours."""
        with self._lock:
            if known is not None and known.fingerprint == self._version:
                return known
            return StoredRefusals({id_: kept.group for id_, kept in self._groups.items()}, self._version)

    def refusal(self, group_id: str) -> RefusalGroup | None:
        """The group with that id."""
        with self._lock:
            return self._shown(group_id) if group_id in self._groups else None

    def other_refusals(
        self, *, since: datetime | None = None, api: str | None = None
    ) -> Sequence[OtherRefusals]:
        """Refusals whose groups were not kept."""
        found: dict[tuple[str, str, bool], OtherRefusals] = {}
        with self._lock:
            for (day, *_), other in self._others.items():
                if (since is None or day >= day_of(since)) and api in (None, other.api):
                    key = other.api, other.reason, other.observed
                    found[key] = add_other(found[key], other) if key in found else other
        return [found[key] for key in sorted(found)]

    def allowed_origins(self, *, api: str | None = None) -> Sequence[AllowedOrigin]:
        """Origins that were allowed, the most frequent first."""
        with self._lock:
            found = [one for one in self._allowed.values() if api in (None, one.key.api)]
        return sorted(found, key=lambda one: (-one.count, one.key.id))

    def seen_origins(self, origins: Collection[str] | None = None) -> Sequence[SeenOrigin]:
        """Where and when these origins were allowed."""
        wanted = None if origins is None else frozenset(origins)
        found: dict[tuple[str, str], SeenOrigin] = {}
        with self._lock:
            for one in self._allowed.values():
                if wanted is not None and one.key.origin not in wanted:
                    continue
                key = one.key.origin, one.key.api
                known = found.get(key)
                count = one.count + (known.count if known else 0)
                last_seen = max(one.last_seen, known.last_seen) if known else one.last_seen
                found[key] = SeenOrigin(*key, count, last_seen)
        return sorted(found.values())

    def dispose(self, group_id: str, disposition: Disposition | None) -> RefusalGroup | None:
        """Set what was decided about a group."""
        with self._lock:
            kept = self._groups.get(group_id)
            if kept is None:
                return None
            self._groups[group_id] = replace(kept, group=replace(kept.group, disposition=disposition))
            self._version += 1
            return self._shown(group_id)

    def client_key(self, day: datetime) -> bytes:
        """The secret key of that day."""
        with self._lock:
            if self._key is None or self._key[0] < day_of(day):
                self._key = day_of(day), secrets.token_bytes(KEY_BYTES)
            return self._key[1]

    def prune_telemetry(self, before: datetime, apis: Sequence[str] | None = None) -> None:
        """Remove what was last seen before that time, and counters of deleted APIs."""
        now = self._clock()
        with self._lock:
            if self._key is not None and self._key[0] < day_of(now):
                self._key = None
            self._version += 1
            self._prune_decisions(before, now)
            self._prune_groups(before, now)
            self._allowed = _kept(self._allowed, lambda _, one: one.last_seen >= before)
            self._others = _kept(self._others, lambda key, _: key[0] >= day_of(before))
            self._prune_processes(before, now, None if apis is None else NO_API.union(apis))

    def _count(
        self,
        batch: TelemetryBatch,
        key: CounterKey,
        value: int,
        by_process: defaultdict[tuple[str, str], list[_Process]],
    ) -> int:
        same = by_process[key.node, key.incarnation]
        own = self._processes.get((batch.control_plane, key.node, key.incarnation))
        known = 0 if own is None else own.parts.get(key.series, 0)
        new = value - sum(process.parts.get(key.series, 0) for process in same)
        if new <= 0 or any(process.summed for process in same):
            return known
        if own is None:
            own = self._processes[batch.control_plane, key.node, key.incarnation] = _Process({}, batch.hour)
            same.append(own)
        own.parts[key.series] = known + new
        own.counted = max(own.counted, batch.hour)
        self._decisions[batch.hour, key.series] += new
        self._traffic[batch.minute or batch.hour, decision_kind(key.series)] += new
        return known + new

    def _add_group(self, delta: GroupDelta) -> None:
        id_ = delta.key.id
        known = self._groups.get(id_)
        self._groups[id_] = KeptGroup.of(delta) if known is None else known.add(delta)
        # Counter's type says int; counts of groups are estimates.
        self._hours[id_][delta.hour] += delta.count  # type: ignore[assignment]

    def _add_allowed(self, delta: AllowedDelta) -> None:
        id_ = delta.key.id
        known = self._allowed.get(id_)
        if known is not None:
            last_seen = max(known.last_seen, delta.last_seen)
            delta = AllowedDelta(delta.key, known.count + delta.count, last_seen)
        self._allowed[id_] = delta

    def _add_other(self, more: OtherRefusals) -> None:
        key = day_of(more.last_seen), more.api, more.reason, more.observed
        known = self._others.get(key)
        self._others[key] = more if known is None else add_other(known, more)

    def _drop(self) -> None:
        limits = self._limits
        sizes = Counter(kept.group.key.api for kept in self._groups.values())
        for api, kept_groups in apis_over(sizes, limits.groups_of_api, limits.groups).items():
            groups = [one.group for one in self._groups.values() if one.group.key.api == api]
            for id_ in choose_dropped([Droppable.group(one) for one in groups], kept_groups):
                self._add_other(as_other(self._groups.pop(id_).group))
                self._hours.pop(id_, None)
        sizes = Counter(one.key.api for one in self._allowed.values())
        for api, kept_origins in apis_over(sizes, limits.allowed_of_api, limits.allowed).items():
            origins = [one for one in self._allowed.values() if one.key.api == api]
            for id_ in choose_dropped([Droppable.allowed(one) for one in origins], kept_origins):
                del self._allowed[id_]

    def _shown(self, id_: str) -> RefusalGroup:
        return replace(self._groups[id_].group, hours=dict(self._hours[id_]))

    def _prune_decisions(self, before: datetime, now: datetime) -> None:
        by_hour = midnight(now) - KEPT_DECISION_HOURS
        found: Counter[tuple[datetime, DecisionSeries]] = Counter()
        for (hour, series), count in self._decisions.items():
            kept_hour = hour if hour >= by_hour else midnight(hour)
            if hour >= before:
                found[kept_hour, series] += count
        self._decisions = found
        by_minute = hour_of(now - KEPT_MINUTES)
        traffic: Counter[tuple[datetime, DecisionKind]] = Counter()
        for (minute, kind), count in self._traffic.items():
            if minute >= now - KEPT_TRAFFIC:
                traffic[minute if minute >= by_minute else hour_of(minute), kind] += count
        self._traffic = traffic

    def _prune_groups(self, before: datetime, now: datetime) -> None:
        self._groups = _kept(self._groups, lambda _, one: _last_used(one.group) >= before)
        for id_, hours in list(self._hours.items()):
            left = Counter({hour: count for hour, count in hours.items() if hour >= now - KEPT_HOURS})
            if id_ in self._groups:
                self._hours[id_] = left
            else:
                del self._hours[id_]

    def _prune_processes(self, before: datetime, now: datetime, apis: frozenset[str] | None) -> None:
        newest: dict[tuple[str, ...], datetime] = {}
        for (_, *process_of), process in self._processes.items():
            newest[tuple(process_of)] = max(newest.get(tuple(process_of), process.counted), process.counted)
        for (owner, node, incarnation), process in list(self._processes.items()):
            if newest[node, incarnation] < before:
                del self._processes[owner, node, incarnation]
            elif process.ended and not process.summed and newest[node, incarnation] < now - SUMMED_AFTER:
                total = self._sums.setdefault((owner, node), _Process({}, process.counted))
                total.parts = dict(Counter(total.parts) + Counter(process.parts))
                total.counted = max(total.counted, process.counted)
                process.parts = {}
                process.summed = True
        self._sums = _kept(self._sums, lambda _, one: one.counted >= before)
        if apis is not None:
            for total in self._sums.values():
                total.parts = _kept(total.parts, lambda series, _: series.api in apis)


def _last_used(group: RefusalGroup) -> datetime:
    """When a group was last seen or decided upon."""
    return group.last_seen if group.disposition is None else max(group.last_seen, group.disposition.at)


def _kept(found: dict[_K, _V], keep: Callable[[_K, _V], bool]) -> dict[_K, _V]:
    return {key: value for key, value in found.items() if keep(key, value)}
