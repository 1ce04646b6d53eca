"""Revisions and the versions of objects, written into the tables. Transactions are others' business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from crossgate.service.objects import CatalogueObject, Kind
from crossgate.service.ports import Proposal
from crossgate.service.revision import NodeOutcome
from crossgate.service.tag import canonical_json
from crossgate.service.written import written_form
from crossgate.store.tables import head, outcomes, revisions, versions

CHANNEL: Final = "crossgate"
"""PostgreSQL's NOTIFY tells of revisions on it; the payload is the revision's number."""

_SUPERSEDE = (
    update(versions)
    .where(versions.c.kind == bindparam("of_kind"), versions.c.key == bindparam("of_key"), versions.c.current)
    .values(current=False)
)

_FORGET_OUTCOME = delete(outcomes).where(
    outcomes.c.revision == bindparam("of_revision"), outcomes.c.node == bindparam("of_node")
)


def head_number(connection: Connection, *, locked: bool = False) -> int:
    """The newest revision's number; ``locked`` keeps other writers away until the transaction ends."""
    asked = select(head.c.revision)
    number: int = connection.execute(asked.with_for_update() if locked else asked).scalar_one()
    return number


def add_revision(connection: Connection, number: int, proposal: Proposal) -> None:
    """Write a revision and the versions of objects that it makes."""
    difference = proposal.difference
    connection.execute(
        insert(revisions),
        {
            "number": number,
            "author": proposal.author,
            "at": proposal.at,
            "message": proposal.message,
            "objects": len(difference),
            "rolls_back_to": proposal.rolls_back_to,
        },
    )
    connection.execute(_SUPERSEDE, [{"of_kind": one.kind.value, "of_key": one.key} for one in difference])
    connection.execute(
        insert(versions), [_version(number, one.kind, one.key, one.after) for one in difference]
    )
    connection.execute(update(head), {"revision": number})


def _version(number: int, kind: Kind, key: str, after: CatalogueObject | None) -> dict[str, object]:
    body = None if after is None else canonical_json(written_form(after)).decode()
    return {"kind": kind.value, "key": key, "revision": number, "body": body, "current": True}


def put_outcomes(connection: Connection, of_revisions: Mapping[int, Iterable[NodeOutcome]]) -> None:
    """Write what nodes made of revisions, each in the place of what was known of it."""
    stored = select(revisions.c.number).where(revisions.c.number.in_(of_revisions))
    rows = [
        {
            "revision": number,
            "node": one.node,
            "outcome": one.outcome.value,
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
