"""Statements for counters and for decisions by hour; the caller owns the transaction and its lock.

Reads come before writes instead of upserts, whose form differs between databases: no other transaction writes
in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, Insert, Row, Update, and_, bindparam, insert, select, update

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey
from crossgate.store.tables import decisions, parts, processes, series

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: Final = select(parts.c.process, parts.c.series, parts.c.value)
_SET_PART: Final = (
    update(parts)
    .where(parts.c.process == bindparam("of_process"), parts.c.series == bindparam("of_series"))
    .values(value=bindparam("new_value"))
)
_ADD_DECISIONS: Final = (
    update(decisions)
    .where(decisions.c.hour == bindparam("of_hour"), decisions.c.series == bindparam("of_series"))
    .values(requests=decisions.c.requests + bindparam("more"))
)


class ProcessState(StrEnum):
    """What became of an Envoy process, as far as one control plane knows."""

    RUNNING = "running"
    ENDED = "ended"
    """Its parts are kept for a day: late reports may come."""
    SUMMED = "summed"
    """Its parts were moved to the sum; what it still reports is not counted."""
    SUM = "sum"
    """Not a process, but the sum of those of a node."""


def hour_number(moment: datetime) -> int:
    """Hours since 1970."""
    return (moment - _EPOCH) // _HOUR


def hour_at(number: int) -> datetime:
    """The time at which an hour begins."""
    return _EPOCH + number * _HOUR


def first_hour(moment: datetime) -> int:
    """The first hour that does not begin before that time."""
    return -((_EPOCH - moment) // _HOUR)


def series_id(one: DecisionSeries) -> int:
    """The key of a series: 64 bits of a hash, the same on every control plane."""
    words = "\0".join((one.api, one.endpoint, one.flow, one.reason, str(one.observed)))
    digest = blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def count(
    connection: Connection,
    control_plane: str,
    hour: datetime,
    process: tuple[str, str],
    reported: Mapping[DecisionSeries, int],
) -> dict[DecisionSeries, int]:
    """Add what no control plane has counted yet of a process; returns the parts of this one."""
    ids = {series_id(one): one for one in reported}
    found = _records_of(connection, process)
    own = next((row.id for row in found if row.control_plane == control_plane), None)
    counted: Counter[int] = Counter()
    mine: dict[int, int] = {}
    of_process = parts.c.process.in_([row.id for row in found])
    for row in connection.execute(select(parts).where(of_process, parts.c.series.in_(ids))):
        counted[row.series] += row.value
        if row.process == own:
            mine[row.series] = row.value
    more = {id_: value - counted[id_] for id_, one in ids.items() if (value := reported[one]) > counted[id_]}
    if more and all(row.state != ProcessState.SUMMED for row in found):
        _add_series(connection, {id_: ids[id_] for id_ in more})
        own = _touch(connection, control_plane, process, own, hour_number(hour))
        _write_parts(connection, own, more, mine)
        mine |= {id_: mine.get(id_, 0) + new for id_, new in more.items()}
        add_decisions(connection, hour_number(hour), more)
    return {one: mine.get(id_, 0) for id_, one in ids.items()}


def end_processes(connection: Connection, control_plane: str, ended: Iterable[tuple[str, str]]) -> None:
    """Record that processes are gone."""
    for node, incarnation in ended:
        connection.execute(
            update(processes)
            .where(
                processes.c.control_plane == control_plane,
                processes.c.node == node,
                processes.c.incarnation == incarnation,
                processes.c.state == ProcessState.RUNNING,
            )
            .values(state=ProcessState.ENDED)
        )


def own_counters(connection: Connection, control_plane: str) -> dict[CounterKey, int]:
    """The parts of a control plane, those of processes that ended under an empty incarnation."""
    query = select(processes).where(processes.c.control_plane == control_plane)
    shown = {
        row.id: (row.node, row.incarnation if row.state == ProcessState.RUNNING else "")
        for row in connection.execute(query)
    }
    known = all_series(connection)
    total: Counter[CounterKey] = Counter()
    for process, id_, value in connection.execute(_PARTS.where(parts.c.process.in_(shown))):
        if id_ in known:
            total[CounterKey(*shown[process], known[id_])] += value
    return dict(total)


def counted_elsewhere(
    connection: Connection, control_plane: str, process: tuple[str, str]
) -> dict[DecisionSeries, int]:
    """The parts of other control planes."""
    found = [row.id for row in _records_of(connection, process) if row.control_plane != control_plane]
    known = all_series(connection) if found else {}
    total: Counter[DecisionSeries] = Counter()
    for _, id_, value in connection.execute(_PARTS.where(parts.c.process.in_(found))):
        if id_ in known:
            total[known[id_]] += value
    return dict(total)


def decisions_between(
    connection: Connection, since: datetime, until: datetime
) -> dict[tuple[datetime, DecisionSeries], int]:
    """Decisions by hour; an hour belongs to the time at which it begins."""
    known = all_series(connection)
    between = and_(decisions.c.hour >= first_hour(since), decisions.c.hour < first_hour(until))
    rows = connection.execute(
        select(decisions.c.hour, decisions.c.series, decisions.c.requests).where(between)
    )
    hours: dict[int, datetime] = {}
    result: dict[tuple[datetime, DecisionSeries], int] = {}
    for hour, id_, counted in rows:
        if id_ in known:
            at = hours.get(hour) or hours.setdefault(hour, hour_at(hour))
            result[at, known[id_]] = counted
    return result


def all_series(connection: Connection) -> dict[int, DecisionSeries]:
    """Every series by its key."""
    columns = (series.c.api, series.c.endpoint, series.c.flow, series.c.reason, series.c.observed)
    return {id_: DecisionSeries(*words) for id_, *words in connection.execute(select(series.c.id, *columns))}


def _records_of(connection: Connection, process: tuple[str, str]) -> Sequence[Row[Any]]:
    node, incarnation = process
    of_process = and_(processes.c.node == node, processes.c.incarnation == incarnation)
    query = select(processes).where(of_process, processes.c.state != ProcessState.SUM)
    return connection.execute(query).all()


def _touch(
    connection: Connection, control_plane: str, process: tuple[str, str], own: int | None, hour: int
) -> int:
    """The id of the control plane's record of a process, which is created if it is missing."""
    if own is not None:
        older = and_(processes.c.id == own, processes.c.counted < hour)
        connection.execute(update(processes).where(older).values(counted=hour))
        return own
    node, incarnation = process
    return add_process(connection, control_plane, node, incarnation, ProcessState.RUNNING, hour)


def add_process(
    connection: Connection, control_plane: str, node: str, incarnation: str, state: ProcessState, hour: int
) -> int:
    """Insert a record of a process; returns its id."""
    created = insert(processes).values(
        control_plane=control_plane, node=node, incarnation=incarnation, state=state, counted=hour
    )
    found: int = connection.execute(created.returning(processes.c.id)).scalar_one()
    return found


def _add_series(connection: Connection, wanted: Mapping[int, DecisionSeries]) -> None:
    known = set(connection.execute(select(series.c.id).where(series.c.id.in_(wanted))).scalars())
    missing = [
        {
            "id": id_,
            "api": one.api,
            "endpoint": one.endpoint,
            "flow": one.flow,
            "reason": one.reason,
            "observed": one.observed,
        }
        for id_, one in wanted.items()
        if id_ not in known
    ]
    _write(connection, insert(series), missing)


def add_parts(connection: Connection, process: int, more: Mapping[int, int]) -> None:
    """Add to the parts of a process, or of a sum."""
    same = and_(parts.c.process == process, parts.c.series.in_(more))
    known = {id_: value for _, id_, value in connection.execute(_PARTS.where(same))}
    _write_parts(connection, process, more, known)


def add_decisions(connection: Connection, hour: int, more: Mapping[int, int]) -> None:
    """Add to the decisions of an hour."""
    same = and_(decisions.c.hour == hour, decisions.c.series.in_(more))
    known = set(connection.execute(select(decisions.c.series).where(same)).scalars())
    new = [{"hour": hour, "series": id_, "requests": one} for id_, one in more.items() if id_ not in known]
    old = [{"of_hour": hour, "of_series": id_, "more": one} for id_, one in more.items() if id_ in known]
    _write(connection, insert(decisions), new)
    _write(connection, _ADD_DECISIONS, old)


def _write_parts(
    connection: Connection, process: int, more: Mapping[int, int], known: Mapping[int, int]
) -> None:
    new = [
        {"process": process, "series": id_, "value": value} for id_, value in more.items() if id_ not in known
    ]
    old = [
        {"of_process": process, "of_series": id_, "new_value": known[id_] + value}
        for id_, value in more.items()
        if id_ in known
    ]
    _write(connection, insert(parts), new)
    _write(connection, _SET_PART, old)


def _write(connection: Connection, statement: Insert | Update, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
