"""Revisions and the versions of objects, written into the tables. Transactions are others' business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from crossgate.service.etag import canonical_json
from crossgate.service.objects import CatalogueObject, Kind, serialise_object
from crossgate.service.ports import NodeRollout, Proposal
from crossgate.store.statements import Statement
from crossgate.store.tables import head, outcomes, revisions, versions

CHANNEL: Final = "crossgate"
"""PostgreSQL's NOTIFY tells of revisions on it; the payload is the revision's number."""

_LOCK_HEAD = Statement(select(head.c.revision).with_for_update())
_MOVE_HEAD = Statement(update(head).values(revision=bindparam("number")))
_ADD_REVISION = Statement(insert(revisions))
_ADD_VERSION = Statement(insert(versions))
_SUPERSEDE = Statement(
    update(versions)
    .where(versions.c.kind == bindparam("of_kind"), versions.c.key == bindparam("of_key"), versions.c.current)
    .values(current=False)
)

_FORGET_OUTCOME = delete(outcomes).where(
    outcomes.c.revision == bindparam("of_revision"), outcomes.c.node == bindparam("of_node")
)


def head_number(connection: Connection) -> int:
    """The newest revision's number."""
    number: int = connection.execute(select(head.c.revision)).scalar_one()
    return number


def locked_head_number(connection: Connection) -> int:
    """The same, while other writers are kept away until the transaction ends."""
    [[number]] = _LOCK_HEAD.run(connection)
    return int(number)


def add_revision(connection: Connection, number: int, proposal: Proposal) -> None:
    """Write a revision and the versions of objects that it makes."""
    difference = proposal.difference
    _ADD_REVISION.run(
        connection,
        {
            "number": number,
            "author": proposal.author,
            "at": proposal.at,
            "message": proposal.message,
            "objects": len(difference),
            "rolls_back_to": proposal.rolls_back_to,
        },
    )
    _SUPERSEDE.run(connection, *({"of_kind": one.kind.value, "of_key": one.key} for one in difference))
    _ADD_VERSION.run(connection, *(_version(number, one.kind, one.key, one.after) for one in difference))
    _MOVE_HEAD.run(connection, {"number": number})


def _version(number: int, kind: Kind, key: str, after: CatalogueObject | None) -> dict[str, object]:
    body = None if after is None else canonical_json(serialise_object(after)).decode()
    return {"kind": kind.value, "key": key, "revision": number, "body": body, "current": True}


def write_rollouts(connection: Connection, of_revisions: Mapping[int, Iterable[NodeRollout]]) -> None:
    """Write what nodes made of revisions, each in the place of what was known of it."""
    stored = select(revisions.c.number).where(revisions.c.number.in_(of_revisions))
    rows = [
        {
            "revision": number,
            "node": one.node,
            "outcome": one.state.value,
            "at": one.at,
            "detail": one.detail,
        }
        for number in connection.execute(stored).scalars()
        for one in of_revisions[number]
    ]
    if rows:
        known = [{"of_revision": row["revision"], "of_node": row["node"]} for row in rows]
        connection.execute(_FORGET_OUTCOME, known)
        connection.execute(insert(outcomes), rows)
