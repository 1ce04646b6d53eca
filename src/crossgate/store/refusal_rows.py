"""Rows of groups, their hours, other refusals and allowed origins; the caller owns the transaction."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    func,
    insert,
    select,
    true,
    type_coerce,
    update,
)

from crossgate.service.errors import RESTORE, StoreUnavailable
from crossgate.service.hyperloglog import REGISTERS, is_valid
from crossgate.service.refusals import (
    AllowedDelta,
    AllowedKey,
    AllowedOrigin,
    DismissalReason,
    Disposition,
    DispositionKind,
    GroupDelta,
    GroupKey,
    OtherRefusals,
    RefusalGroup,
    SeenIn,
    SeenOrigin,
)
from crossgate.service.telemetry_rules import KeptGroup, add_other, day_of
from crossgate.store.counters import hour_at, hour_number
from crossgate.store.tables import allowed, group_hours, groups, others

_EPOCH: Final = date(1970, 1, 1)
_IDS_AT_ONCE: Final = 500
_MERGED: Final = (
    "sampled", "requests", "variance", "first_seen", "last_seen", "clients", "seen_in", "day", "registers"
)  # fmt: skip
"""What more refusals change of a group."""
_AFTER_ORIGIN: Final = '", "method": '
_MOST_PARAMETERS: Final = 2_000
"""With more names, reading all origins takes as long."""
_SET_GROUP: Final = update(groups).where(groups.c.id == bindparam("of_id"))
_ADD_HOUR: Final = (
    update(group_hours)
    .where(group_hours.c.group_id == bindparam("of_group"), group_hours.c.hour == bindparam("of_hour"))
    .values(requests=group_hours.c.requests + bindparam("more"))
)
_SET_ALLOWED: Final = update(allowed).where(allowed.c.id == bindparam("of_id"))


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def add_groups(connection: Connection, deltas: Sequence[GroupDelta]) -> None:
    """Add refusals to their groups."""
    by_id = defaultdict[str, list[GroupDelta]](list)
    for one in deltas:
        by_id[one.key.id].append(one)
    found = connection.execute(select(groups).where(groups.c.id.in_(by_id))).all()
    known = {row.id: read_group(row) for row in found}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for id_, more in by_id.items():
        merged = known.get(id_)
        for delta in more:
            merged = KeptGroup.of(delta) if merged is None else merged.add(delta)
        if merged is not None:
            (changed if id_ in known else new).append(_group_row(id_, merged))
    if new:
        connection.execute(insert(groups), new)
    if changed:
        connection.execute(_SET_GROUP, [{"of_id": row.pop("id"), **_only_merged(row)} for row in changed])
    _add_hours(connection, deltas)


def add_others(connection: Connection, more: Iterable[OtherRefusals]) -> None:
    """Count refusals without groups, by the day on which they were last seen."""
    for one in more:
        day = day_number(day_of(one.last_seen))
        same = and_(
            others.c.day == day,
            others.c.api == one.api,
            others.c.reason == one.reason,
            others.c.observed == one.observed,
        )
        known = connection.execute(select(others).where(same)).first()
        if known is None:
            values = asdict(one)
            connection.execute(insert(others).values(day=day, requests=values.pop("count"), **values))
        else:
            total = add_other(_other(known), one)
            connection.execute(
                update(others)
                .where(same)
                .values(
                    sampled=total.sampled,
                    requests=total.count,
                    variance=total.variance,
                    last_seen=total.last_seen,
                )
            )


def add_allowed(connection: Connection, deltas: Sequence[AllowedDelta]) -> None:
    """Add allowed requests to their origins."""
    ids = [one.key.id for one in deltas]
    found = connection.execute(select(allowed).where(allowed.c.id.in_(ids))).all()
    known = {row.id: read_allowed(row) for row in found}
    merged = dict(known)
    for id_, one in zip(ids, deltas, strict=True):
        before = merged.get(id_)
        if before is not None:
            last_seen = max(before.last_seen, one.last_seen)
            merged[id_] = replace(one, count=before.count + one.count, last_seen=last_seen)
        else:
            merged[id_] = one
    new = [
        {
            "id": id_,
            "api": one.key.api,
            "preflight": one.key.preflight,
            "request": _dump_request(one.key),
            "requests": one.count,
            "last_seen": one.last_seen,
        }
        for id_, one in merged.items()
        if id_ not in known
    ]
    changed = [
        {"of_id": id_, "requests": one.count, "last_seen": one.last_seen}
        for id_, one in merged.items()
        if id_ in known
    ]
    if new:
        connection.execute(insert(allowed), new)
    if changed:
        connection.execute(_SET_ALLOWED, changed)


def groups_since(connection: Connection, since: datetime | None, api: str | None) -> list[RefusalGroup]:
    """The groups with their hours."""
    wanted = and_(
        true() if since is None else groups.c.last_seen >= since,
        true() if api is None else groups.c.api == api,
    )
    return _with_hours(connection, connection.execute(select(groups).where(wanted)).all(), wanted)


def fingerprint(connection: Connection) -> Hashable:
    """A value that differs if any group does: of 10,000 groups, in 5 ms, in which other threads run.

    The time of a decision alone does not tell a second one from the first: clocks of control planes differ.
    """
    columns = groups.c
    query = select(
        func.count(),
        func.sum(columns.sampled),
        func.sum(columns.requests),
        func.max(columns.last_seen),
        func.count(columns.disposition),
        func.max(columns.disposed_at),
        func.sum(columns.disposed_revision),
        func.sum(func.length(columns.note)),
    )
    return tuple(connection.execute(query).one())


def group_marks(connection: Connection) -> dict[str, Hashable]:
    """By id of each group: a value that differs if the group does."""
    columns = groups.c
    query = select(
        columns.id,
        columns.sampled,
        columns.requests,
        # As stored: to make 20,000 times takes longer than the rest.
        type_coerce(columns.last_seen, Text),
        type_coerce(columns.disposed_at, Text),
        columns.disposition,
        columns.note,
    )
    return {row[0]: tuple(row)[1:] for row in connection.execute(query)}


def groups_without_hours(connection: Connection, ids: Collection[str] | None) -> dict[str, RefusalGroup]:
    """The groups with these ids, or all."""
    if ids is None:
        return {row.id: read_group(row).group for row in connection.execute(select(groups))}
    found: dict[str, RefusalGroup] = {}
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        some = ordered[start : start + _IDS_AT_ONCE]
        rows = connection.execute(select(groups).where(groups.c.id.in_(some)))
        found |= {row.id: read_group(row).group for row in rows}
    return found


def one_group(connection: Connection, group_id: str) -> RefusalGroup | None:
    """The group of that id, with its hours."""
    wanted = groups.c.id == group_id
    found = _with_hours(connection, connection.execute(select(groups).where(wanted)).all(), wanted)
    return next(iter(found), None)


def others_since(connection: Connection, since: datetime | None, api: str | None) -> list[OtherRefusals]:
    """Refusals without groups, by API, reason and mode."""
    wanted = and_(
        true() if since is None else others.c.day >= day_number(day_of(since)),
        true() if api is None else others.c.api == api,
    )
    found: dict[tuple[str, str, bool], OtherRefusals] = {}
    for row in connection.execute(select(others).where(wanted).order_by(others.c.day)):
        one = _other(row)
        key = one.api, one.reason, one.observed
        found[key] = add_other(found[key], one) if key in found else one
    return [found[key] for key in sorted(found)]


def allowed_of(connection: Connection, api: str | None) -> list[AllowedOrigin]:
    """Allowed origins."""
    wanted = true() if api is None else allowed.c.api == api
    return [read_allowed(row) for row in connection.execute(select(allowed).where(wanted))]


def seen_of(connection: Connection, origins: Collection[str] | None) -> list[SeenOrigin]:
    """Allowed origins by API, summed in the database, which reads some thousand rows and returns few.

    A request begins with its origin as JSON, in which no quote stands unescaped. JSON functions of PostgreSQL
    would refuse the whole query for one lone surrogate.
    """
    begin: ColumnElement[str]
    if connection.dialect.name == "postgresql":
        begin = func.split_part(allowed.c.request, _AFTER_ORIGIN, 1)
    else:
        begin = func.substr(allowed.c.request, 1, func.instr(allowed.c.request, _AFTER_ORIGIN) - 1)
    query = select(begin, allowed.c.api, func.sum(allowed.c.requests), func.max(allowed.c.last_seen))
    if origins is not None and len(origins) <= _MOST_PARAMETERS:
        query = query.where(begin.in_([json.dumps({"origin": one})[:-2] for one in origins]))
    found = [
        SeenOrigin(_origin_of(start), api, float(count), last_seen)
        for start, api, count, last_seen in connection.execute(query.group_by(begin, allowed.c.api))
    ]
    wanted = None if origins is None else frozenset(origins)
    return [one for one in found if wanted is None or one.origin in wanted]


def _origin_of(start: str) -> str:
    with _corruption_reported("allowed origin", start[:100]):
        return str(json.loads(f'{start}"}}')["origin"])


def disposition_values(one: Disposition | None) -> dict[str, object]:
    """The columns of a disposition."""
    if one is None:
        names = ("disposition", "disposed_at", "disposed_by", "disposed_revision", "dismissal_reason", "note")
        return dict.fromkeys(names)
    return {
        "disposition": one.kind.value,
        "disposed_at": one.at,
        "disposed_by": one.author,
        "disposed_revision": one.revision,
        "dismissal_reason": None if one.reason is None else one.reason.value,
        "note": json.dumps(one.note),
    }


def read_group(row: Row[Any]) -> KeptGroup:
    """The group of a row; raises StoreUnavailable if it is corrupt."""
    with _corruption_reported("refusal group", row.id):
        origin, method, headers = _load_request(row.request)
        registers = zlib.decompressobj().decompress(row.registers, REGISTERS) if row.registers else b""
        if not is_valid(registers):
            raise ValueError(row.id)
        key = GroupKey(row.api, origin, row.reason, row.preflight, method, headers, row.observed)
        group = RefusalGroup(
            key,
            int(row.sampled),
            float(row.requests),
            float(row.variance),
            row.first_seen,
            row.last_seen,
            int(row.clients),
            _load_samples(row.seen_in),
            _disposition(row),
        )
        return KeptGroup(group, _EPOCH + timedelta(days=row.day), registers)


def read_allowed(row: Row[Any]) -> AllowedOrigin:
    """The allowed origin of a row; raises StoreUnavailable if it is corrupt."""
    with _corruption_reported("allowed origin", row.id):
        origin, method, headers = _load_request(row.request)
        key = AllowedKey(row.api, origin, row.preflight, method, headers)
        return AllowedOrigin(key, float(row.requests), row.last_seen)


def _with_hours(
    connection: Connection, rows: Sequence[Row[Any]], wanted: ColumnElement[bool]
) -> list[RefusalGroup]:
    hours = defaultdict[str, dict[datetime, float]](dict)
    query = select(group_hours.c.group_id, group_hours.c.hour, group_hours.c.requests)
    for group_id, hour, counted in connection.execute(query.join(groups).where(wanted)):
        hours[group_id][hour_at(hour)] = counted
    return [replace(read_group(row).group, hours=hours.get(row.id, {})) for row in rows]


def _add_hours(connection: Connection, deltas: Sequence[GroupDelta]) -> None:
    more = defaultdict[tuple[str, int], float](float)
    for one in deltas:
        more[one.key.id, hour_number(one.hour)] += one.count
    ids, hours = {id_ for id_, _ in more}, {hour for _, hour in more}
    query = select(group_hours.c.group_id, group_hours.c.hour).where(
        group_hours.c.group_id.in_(ids), group_hours.c.hour.in_(hours)
    )
    known = {(id_, hour) for id_, hour in connection.execute(query)}
    new = [
        {"group_id": id_, "hour": hour, "requests": one}
        for (id_, hour), one in more.items()
        if (id_, hour) not in known
    ]
    old = [
        {"of_group": id_, "of_hour": hour, "more": one}
        for (id_, hour), one in more.items()
        if (id_, hour) in known
    ]
    if new:
        connection.execute(insert(group_hours), new)
    if old:
        connection.execute(_ADD_HOUR, old)


def _group_row(id_: str, kept: KeptGroup) -> dict[str, Any]:
    one, key = kept.group, kept.group.key
    return {
        "id": id_,
        "api": key.api,
        "reason": key.reason,
        "observed": key.observed,
        "preflight": key.preflight,
        "request": _dump_request(key),
        "sampled": one.sampled,
        "requests": one.count,
        "variance": one.variance,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "clients": one.clients,
        "seen_in": json.dumps(asdict(one.seen_in)),
        "day": day_number(kept.day),
        # Most groups have few clients: 30 bytes instead of 1,024.
        "registers": zlib.compress(kept.registers, 1) if kept.registers else b"",
    }


def _only_merged(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _MERGED}


def _other(row: Row[Any]) -> OtherRefusals:
    return OtherRefusals(
        row.api, row.reason, row.observed, row.sampled, row.requests, row.variance, row.last_seen
    )


def _disposition(row: Row[Any]) -> Disposition | None:
    if row.disposition is None:
        return None
    reason = None if row.dismissal_reason is None else DismissalReason(row.dismissal_reason)
    return Disposition(
        DispositionKind(row.disposition),
        row.disposed_at,
        row.disposed_by,
        row.disposed_revision,
        reason,
        json.loads(row.note),
    )


def _dump_request(key: GroupKey | AllowedKey) -> str:
    return json.dumps({"origin": key.origin, "method": key.method, "headers": key.headers})


def _load_request(stored: str) -> tuple[str, str, tuple[str, ...]]:
    found = json.loads(stored)
    origin, method, headers = found["origin"], found["method"], tuple(found["headers"])
    if not all(isinstance(one, str) for one in (origin, method, *headers)):
        raise TypeError(stored)
    return origin, method, headers


def _load_samples(stored: str) -> SeenIn:
    found = json.loads(stored)
    path = found.pop("path")
    return SeenIn(path, **{name: tuple(values) for name, values in found.items()})


@contextmanager
def _corruption_reported(kind: str, key: str) -> Iterator[None]:
    try:
        yield
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OverflowError,
        zlib.error,
    ) as error:
        raise StoreUnavailable(f"the stored {kind} {key} is corrupt", RESTORE) from error
