"""Statements for counters and for decisions by hour; the caller owns the transaction and its lock.

Hundreds of numbers at once are one parameter: a JSON object of series and values. A statement for each took
40 µs of Python and, in PostgreSQL, ten times as long; the catalogue's writers wait for that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Row, and_, func, insert, select, text, update

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey
from crossgate.service.traffic import (
    MINUTE,
    REFUSAL_REASONS,
    DecisionKind,
    RefusedCounts,
    TrafficCounts,
    decision_kind,
)
from crossgate.store.tables import decisions, parts, processes, series, traffic

_HOUR: Final = timedelta(hours=1)
_MOST_PARAMETERS: Final = 20_000
"""Of one query: SQLite allows 32,766, PostgreSQL 65,535."""
_APIS_AT_ONCE: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: Final = select(parts.c.process, parts.c.series, parts.c.value)
_GIVEN: Final = {"sqlite": "json_each(:given)", "postgresql": "jsonb_each_text(CAST(:given AS jsonb))"}
"""The parameter as a table of keys and values, for each database."""
_UNKNOWN: Final = """
    SELECT CAST(given.key AS BIGINT) FROM {given} AS given
    WHERE NOT EXISTS (SELECT 1 FROM decision_series WHERE id = CAST(given.key AS BIGINT))
"""
_COUNTED: Final = """
    SELECT parts.series, CAST(SUM(parts.value) AS BIGINT),
           CAST(SUM(CASE WHEN parts.process = :own THEN parts.value ELSE 0 END) AS BIGINT)
    FROM counted_processes AS processes JOIN counter_parts AS parts ON parts.process = processes.id
    WHERE processes.node = :node AND processes.incarnation = :incarnation AND processes.state <> 'sum'
    AND parts.series IN (SELECT CAST(given.key AS BIGINT) FROM {given} AS given)
    GROUP BY parts.series
"""
_ADD_PARTS: Final = """
    INSERT INTO counter_parts (process, series, value)
    SELECT :process, CAST(given.key AS BIGINT), CAST(given.value AS BIGINT) FROM {given} AS given WHERE TRUE
    ON CONFLICT (process, series) DO UPDATE SET value = counter_parts.value + EXCLUDED.value
"""
_ADD_DECISIONS: Final = """
    INSERT INTO decision_hours (hour, series, requests)
    SELECT :hour, CAST(given.key AS BIGINT), CAST(given.value AS BIGINT) FROM {given} AS given WHERE TRUE
    ON CONFLICT (hour, series) DO UPDATE SET requests = decision_hours.requests + EXCLUDED.requests
"""
_ADD_TRAFFIC: Final = """
    INSERT INTO decision_minutes (minute, kind, requests)
    SELECT :minute, given.key, CAST(given.value AS BIGINT) FROM {given} AS given WHERE TRUE
    ON CONFLICT (minute, kind) DO UPDATE SET requests = decision_minutes.requests + EXCLUDED.requests
"""


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


def _first_minute(moment: datetime) -> int:
    return -((_EPOCH - moment) // MINUTE)


def hour_at(number: int) -> datetime:
    """The time at which an hour begins."""
    return _EPOCH + number * _HOUR


def first_hour(moment: datetime) -> int:
    """The first hour that does not begin before that time."""
    return -((_EPOCH - moment) // _HOUR)


def minute_number(moment: datetime) -> int:
    """Minutes since 1970."""
    return (moment - _EPOCH) // MINUTE


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
    reported: Mapping[int, int],
    known: Mapping[int, DecisionSeries],
    minute: datetime | None = None,
) -> dict[int, int]:
    """Add what no control plane has counted yet of a process; returns the parts of this one.

    ``reported`` are the values by the keys of series, ``known`` the series by their keys.
    """
    found = _records_of(connection, process)
    own = next((row.id for row in found if row.control_plane == control_plane), None)
    mine = dict.fromkeys(reported, 0)
    more = dict(reported)
    if found:
        node, incarnation = process
        names = {"own": own or 0, "node": node, "incarnation": incarnation}
        for row in _execute(connection, _COUNTED, reported, names):
            more[row[0]] -= row[1]
            mine[row[0]] = row[2]
    more = {id_: new for id_, new in more.items() if new > 0}
    if more and all(row.state != ProcessState.SUMMED for row in found):
        _add_series(connection, more, known)
        own = _touch(connection, control_plane, process, own, hour_number(hour))
        add_parts(connection, own, more)
        add_decisions(connection, hour_number(hour), more)
        kinds = Counter[DecisionKind]()
        for id_, new in more.items():
            kinds[decision_kind(known[id_])] += new
        add_traffic(connection, minute_number(minute or hour), kinds)
        for id_, new in more.items():
            mine[id_] += new
    return mine


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
    connection: Connection, since: datetime, until: datetime, api: str | None = None
) -> dict[tuple[datetime, DecisionSeries], int]:
    """Decisions by hour, of one API or of all; an hour belongs to the time at which it begins."""
    known = all_series(connection)
    between = and_(decisions.c.hour >= first_hour(since), decisions.c.hour < first_hour(until))
    if api is not None:
        # Not left to the caller: a month of 5,000 APIs has millions of rows.
        between = and_(between, decisions.c.series.in_(select(series.c.id).where(series.c.api == api)))
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


def traffic_between(connection: Connection, since: datetime, until: datetime) -> TrafficCounts:
    """Decisions of all APIs by minute and kind."""
    minute = traffic.c.minute
    between = and_(minute >= _first_minute(since), minute < _first_minute(until))
    rows = connection.execute(select(minute, traffic.c.kind, traffic.c.requests).where(between))
    return {(_EPOCH + at * MINUTE, DecisionKind(kind)): counted for at, kind, counted in rows}


def traffic_of_apis(
    connection: Connection, since: datetime, until: datetime, apis: Collection[str]
) -> TrafficCounts:
    """Decisions of some APIs by hour and kind."""
    columns = (decisions.c.hour, series.c.reason, series.c.observed)
    query = (
        select(*columns, func.sum(decisions.c.requests))
        .join_from(series, decisions, decisions.c.series == series.c.id)
        .where(decisions.c.hour >= first_hour(since), decisions.c.hour < first_hour(until))
        .group_by(*columns)
    )
    found: Counter[tuple[datetime, DecisionKind]] = Counter()
    wanted = sorted(apis)
    # Each query reads the decisions of all APIs in these hours.
    for start in range(0, len(wanted), _MOST_PARAMETERS):
        some = wanted[start : start + _MOST_PARAMETERS]
        for hour, reason, observed, counted in connection.execute(query.where(series.c.api.in_(some))):
            found[hour_at(hour), decision_kind(DecisionSeries("", "", "", reason, observed))] += int(counted)
    return found


def refused_by_api(
    connection: Connection, since: datetime, until: datetime, apis: Collection[str]
) -> RefusedCounts:
    """Refused and observed decisions of some APIs, by API and kind.

    Every hour is named, so that both databases look rows up by hour and series: a range of hours would read
    those of all APIs, a million in a day of 5,000.
    """
    hours = range(first_hour(since), first_hour(until))
    found: Counter[tuple[str, DecisionKind]] = Counter()
    wanted = sorted(apis)
    for start in range(0, len(wanted), _APIS_AT_ONCE):
        some = series.c.api.in_(wanted[start : start + _APIS_AT_ONCE])
        refusing = and_(some, series.c.reason.in_(sorted(REFUSAL_REASONS)))
        columns = (series.c.id, series.c.api, series.c.reason, series.c.observed)
        known = {
            id_: (api, decision_kind(DecisionSeries(api, "", "", reason, observed)))
            for id_, api, reason, observed in connection.execute(select(*columns).where(refusing))
        }
        ids = sorted(known)
        for first in range(0, len(ids), _APIS_AT_ONCE):
            of_some = and_(
                decisions.c.hour.in_(hours), decisions.c.series.in_(ids[first : first + _APIS_AT_ONCE])
            )
            rows = select(decisions.c.series, func.sum(decisions.c.requests)).where(of_some)
            for id_, counted in connection.execute(rows.group_by(decisions.c.series)):
                found[known[id_]] += int(counted)
    return found


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


def add_parts(connection: Connection, process: int, more: Mapping[int, int]) -> None:
    """Add to the parts of a process, or of a sum."""
    _execute(connection, _ADD_PARTS, more, {"process": process})


def add_decisions(connection: Connection, hour: int, more: Mapping[int, int]) -> None:
    """Add to the decisions of an hour."""
    _execute(connection, _ADD_DECISIONS, more, {"hour": hour})


def add_traffic(connection: Connection, minute: int, more: Mapping[DecisionKind, int]) -> None:
    """Add to the decisions of a minute."""
    _execute(connection, _ADD_TRAFFIC, more, {"minute": minute})


def _add_series(
    connection: Connection, wanted: Mapping[int, int], known: Mapping[int, DecisionSeries]
) -> None:
    missing = [
        {
            "id": id_,
            "api": known[id_].api,
            "endpoint": known[id_].endpoint,
            "flow": known[id_].flow,
            "reason": known[id_].reason,
            "observed": known[id_].observed,
        }
        for id_ in _execute(connection, _UNKNOWN, wanted, {}).scalars()
    ]
    if missing:
        connection.execute(insert(series), missing)


def _execute(
    connection: Connection,
    statement: str,
    given: Mapping[int, int] | Mapping[DecisionKind, int],
    more: Mapping[str, Any],
) -> CursorResult[*tuple[Any, ...]]:
    prepared = text(statement.replace("{given}", _GIVEN[connection.dialect.name]))
    return connection.execute(prepared, {"given": json.dumps(given), **more})
