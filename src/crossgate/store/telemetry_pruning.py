"""Removes telemetry: what is old, what belongs to deleted APIs, and what is too much.

What to remove is read first, without a lock. Then it is removed in short transactions, each of which checks
again what another control plane may have changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, Table, and_, delete, func, or_, select, update

from crossgate.service.refusals import OtherRefusals, TelemetryLimits
from crossgate.service.telemetry_rules import (
    KEPT_DECISION_HOURS,
    KEPT_HOURS,
    NO_API,
    SUMMED_AFTER,
    Droppable,
    add_other,
    apis_over,
    choose_dropped,
    day_of,
    hour_of,
    midnight,
)
from crossgate.service.traffic import KEPT_MINUTES, KEPT_TRAFFIC, DecisionKind
from crossgate.store.counters import (
    ProcessState,
    add_decisions,
    add_parts,
    add_process,
    add_traffic,
    first_hour,
    minute_number,
)
from crossgate.store.refusal_rows import add_others, day_number
from crossgate.store.tables import (
    allowed,
    batches,
    client_keys,
    decisions,
    group_hours,
    groups,
    others,
    parts,
    processes,
    series,
    traffic,
)

ROWS_AT_ONCE: Final = 500
GROUPS_AT_ONCE: Final = 50
_T = TypeVar("_T")
_Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Pruning:
    """Removes telemetry from a database."""

    reading: _Transaction
    writing: _Transaction
    limits: TelemetryLimits
    clock: Callable[[], datetime]

    def drop_groups(self) -> None:
        """Drop groups until there are no more than allowed, and count them as others."""
        columns = (groups.c.id, groups.c.requests, groups.c.first_seen, groups.c.last_seen, groups.c.clients)
        disposed = groups.c.disposition.is_not(None)
        for api, kept in self._over(groups, self.limits.groups_of_api, self.limits.groups):
            with self.reading() as connection:
                of_api = select(*columns, disposed).where(groups.c.api == api)
                candidates = [Droppable(*row) for row in connection.execute(of_api)]
            left_alone = {one.id for one in candidates if not one.disposed}
            for ids in chunks(choose_dropped(candidates, kept), GROUPS_AT_ONCE):
                with self.writing() as connection:
                    _drop_groups(connection, ids, left_alone)

    def drop_allowed(self) -> None:
        """Drop allowed origins until there are no more than allowed."""
        columns = (allowed.c.id, allowed.c.requests, allowed.c.last_seen, allowed.c.last_seen)
        for api, kept in self._over(allowed, self.limits.allowed_of_api, self.limits.allowed):
            with self.reading() as connection:
                rows = connection.execute(select(*columns).where(allowed.c.api == api))
                candidates = [Droppable(*row) for row in rows]
            for ids in chunks(choose_dropped(candidates, kept), ROWS_AT_ONCE):
                with self.writing() as connection:
                    connection.execute(delete(allowed).where(allowed.c.id.in_(ids)))

    def prune(self, before: datetime, apis: Collection[str] | None) -> None:
        """Remove what was last seen before that time, and counters of APIs that are not among ``apis``."""
        now = self.clock()
        self._prune_small_tables(before, now)
        self._prune_decisions(before, now)
        self._prune_traffic(now)
        self._prune_groups(before, now)
        self._prune_processes(before, now)
        if apis is not None:
            self._forget_apis(NO_API.union(apis))

    def _over(self, table: Table, of_api: int, altogether: int) -> list[tuple[str, int]]:
        with self.reading() as connection:
            query = select(table.c.api, func.count()).group_by(table.c.api)
            sizes: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return list(apis_over(sizes, of_api, altogether).items())

    def _prune_small_tables(self, before: datetime, now: datetime) -> None:
        for table, condition in (
            (client_keys, client_keys.c.day < day_number(day_of(now))),
            (batches, batches.c.hour < first_hour(before)),
            (others, others.c.day < day_number(day_of(before))),
            (allowed, allowed.c.last_seen < before),
        ):
            with self.reading() as connection:
                found = connection.execute(select(func.count()).select_from(table).where(condition)).scalar()
            if found:
                with self.writing() as connection:
                    connection.execute(delete(table).where(condition))

    def _prune_decisions(self, before: datetime, now: datetime) -> None:
        hour = decisions.c.hour
        for number in self._read(select(hour).distinct().where(hour < first_hour(before))):
            while self._delete_decisions(number):
                pass
        by_day = and_(hour < first_hour(midnight(now) - KEPT_DECISION_HOURS), hour % 24 != 0)
        days = dict.fromkeys(number // 24 for number in self._read(select(hour).distinct().where(by_day)))
        for day in days:
            of_day = select(decisions.c.series).distinct().where(hour.in_(_hours_of(day)))
            for some in chunks(self._read(of_day), ROWS_AT_ONCE // 5):
                with self.writing() as connection:
                    _sum_day(connection, day, some)

    def _prune_traffic(self, now: datetime) -> None:
        minute = traffic.c.minute
        past = minute < minute_number(now - KEPT_TRAFFIC)
        if self._read(select(minute).where(past).limit(1)):
            with self.writing() as connection:
                connection.execute(delete(traffic).where(past))
        by_hour = and_(minute < minute_number(hour_of(now - KEPT_MINUTES)), minute % 60 != 0)
        for hour in dict.fromkeys(
            found // 60 for found in self._read(select(minute).distinct().where(by_hour))
        ):
            with self.writing() as connection:
                _sum_hour(connection, hour)

    def _delete_decisions(self, hour: int) -> bool:
        """Delete some decisions of an hour; returns whether there were any."""
        of_hour = decisions.c.hour == hour
        some = select(decisions.c.series).where(of_hour).order_by(decisions.c.series).limit(ROWS_AT_ONCE)
        with self.writing() as connection:
            found = connection.execute(some).scalars().all()
            if found:
                connection.execute(delete(decisions).where(of_hour, decisions.c.series <= found[-1]))
        return bool(found)

    def _prune_groups(self, before: datetime, now: datetime) -> None:
        undecided = or_(groups.c.disposed_at.is_(None), groups.c.disposed_at < before)
        old = and_(groups.c.last_seen < before, undecided)
        for ids in chunks(self._read(select(groups.c.id).where(old)), GROUPS_AT_ONCE):
            with self.writing() as connection:
                still_old = connection.execute(select(groups.c.id).where(groups.c.id.in_(ids), old))
                _delete_groups(connection, still_old.scalars().all())
        past = group_hours.c.hour < first_hour(now - KEPT_HOURS)
        for ids in chunks(self._read(select(group_hours.c.group_id).distinct().where(past)), GROUPS_AT_ONCE):
            with self.writing() as connection:
                connection.execute(delete(group_hours).where(group_hours.c.group_id.in_(ids), past))

    def _prune_processes(self, before: datetime, now: datetime) -> None:
        old, late = first_hour(before), first_hour(now - SUMMED_AFTER)
        with self.reading() as connection:
            found = connection.execute(select(processes)).all()
        newest = defaultdict[tuple[str, str], int](int)
        for row in found:
            if row.state != ProcessState.SUM:
                newest[row.node, row.incarnation] = max(newest[row.node, row.incarnation], row.counted)
        for row in found:
            if row.state == ProcessState.SUM:
                if row.counted < old:
                    self._remove(row)
            elif newest[row.node, row.incarnation] < old:
                self._remove(row)
            elif row.state == ProcessState.SUMMED or (
                row.state == ProcessState.ENDED and newest[row.node, row.incarnation] < late
            ):
                self._sum(row)

    def _remove(self, row: Row[Any]) -> None:
        """Remove the parts of a process or sum, and then its record."""
        unchanged = and_(processes.c.id == row.id, processes.c.counted == row.counted)
        some = select(parts.c.series).where(parts.c.process == row.id).order_by(parts.c.series)
        found: Sequence[int] = ()
        while True:
            with self.writing() as connection:
                if connection.execute(select(processes.c.id).where(unchanged)).first() is None:
                    return
                found = connection.execute(some.limit(ROWS_AT_ONCE)).scalars().all()
                if not found:
                    connection.execute(delete(processes).where(unchanged))
                    return
                up_to = and_(parts.c.process == row.id, parts.c.series <= found[-1])
                connection.execute(delete(parts).where(up_to))

    def _sum(self, row: Row[Any]) -> None:
        """Move the parts of an ended process to the sum of those of its node."""
        some = select(parts.c.series, parts.c.value).where(parts.c.process == row.id).order_by(parts.c.series)
        while True:
            with self.writing() as connection:
                found = connection.execute(some.limit(ROWS_AT_ONCE)).all()
                if not found:
                    closed = update(processes).where(processes.c.id == row.id)
                    connection.execute(closed.values(state=ProcessState.SUMMED))
                    return
                _add_to_sum(connection, row, {one.series: one.value for one in found})
                up_to = and_(parts.c.process == row.id, parts.c.series <= found[-1].series)
                connection.execute(delete(parts).where(up_to))
                closed = update(processes).where(processes.c.id == row.id)
                connection.execute(closed.values(state=ProcessState.SUMMED))

    def _forget_apis(self, known: frozenset[str]) -> None:
        """Remove the counters of deleted APIs from sums, and series that nothing counts."""
        with self.reading() as connection:
            rows = connection.execute(select(series.c.id, series.c.api)).all()
        sums = select(processes.c.id).where(processes.c.state == ProcessState.SUM)
        for ids in chunks([row.id for row in rows if row.api not in known], ROWS_AT_ONCE):
            of_series = parts.c.series.in_(ids)
            with self.writing() as connection:
                connection.execute(delete(parts).where(parts.c.process.in_(sums), of_series))
            # A series is counted by hour only together with its part, which stays for longer.
            counted = self._read(select(decisions.c.series).distinct().where(decisions.c.series.in_(ids)))
            of_processes = and_(parts.c.process.in_(select(processes.c.id)), of_series)
            with self.writing() as connection:
                used = connection.execute(select(parts.c.series).distinct().where(of_processes)).scalars()
                unused = set(ids).difference(counted, used)
                connection.execute(delete(series).where(series.c.id.in_(unused)))

    def _read(self, query: Any) -> Sequence[Any]:
        with self.reading() as connection:
            found: Sequence[Any] = connection.execute(query).scalars().all()
        return found


def _drop_groups(connection: Connection, ids: Sequence[str], left_alone: set[str]) -> None:
    columns = (groups.c.sampled, groups.c.requests, groups.c.variance, groups.c.last_seen)
    key = (groups.c.api, groups.c.reason, groups.c.observed)
    query = select(groups.c.id, groups.c.disposition, *key, *columns).where(groups.c.id.in_(ids))
    total: dict[tuple[Any, ...], OtherRefusals] = {}
    dropped = []
    for id_, disposition, *values in connection.execute(query):
        if disposition is not None and id_ in left_alone:
            continue  # somebody decided about it just now
        one = OtherRefusals(*values)
        dropped.append(id_)
        same = one.api, one.reason, one.observed, day_of(one.last_seen)
        total[same] = add_other(total[same], one) if same in total else one
    add_others(connection, total.values())
    _delete_groups(connection, dropped)


def _delete_groups(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(delete(group_hours).where(group_hours.c.group_id.in_(ids)))
    connection.execute(delete(groups).where(groups.c.id.in_(ids)))


def _hours_of(day: int) -> list[int]:
    """The hours of a day but the first, in which the sum of the day is kept."""
    return list(range(day * 24 + 1, (day + 1) * 24))


def _sum_day(connection: Connection, day: int, of_series: Sequence[int]) -> None:
    chosen = decisions.c.series.in_(of_series)
    rest = and_(decisions.c.hour.in_(_hours_of(day)), chosen)
    query = (
        select(decisions.c.series, func.sum(decisions.c.requests)).where(rest).group_by(decisions.c.series)
    )
    more = {id_: int(counted) for id_, counted in connection.execute(query)}
    connection.execute(delete(decisions).where(rest))
    add_decisions(connection, day * 24, more)


def _sum_hour(connection: Connection, hour: int) -> None:
    first = hour * 60
    rest = and_(traffic.c.minute > first, traffic.c.minute < first + 60)
    query = select(traffic.c.kind, func.sum(traffic.c.requests)).where(rest).group_by(traffic.c.kind)
    more = {DecisionKind(kind): int(counted) for kind, counted in connection.execute(query)}
    connection.execute(delete(traffic).where(rest))
    add_traffic(connection, first, more)


def _add_to_sum(connection: Connection, row: Row[Any], more: dict[int, int]) -> None:
    of_node = and_(
        processes.c.control_plane == row.control_plane,
        processes.c.node == row.node,
        processes.c.state == ProcessState.SUM,
    )
    known = connection.execute(select(processes.c.id).where(of_node)).scalar()
    if known is None:
        known = add_process(connection, row.control_plane, row.node, "", ProcessState.SUM, row.counted)
    older = and_(processes.c.id == known, processes.c.counted < row.counted)
    connection.execute(update(processes).where(older).values(counted=row.counted))
    add_parts(connection, known, more)


def chunks(items: Collection[_T], size: int) -> Iterator[list[_T]]:
    """The items, some at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
