"""Statements that write revisions, object versions and rollouts; the caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from crossgate.service.etag import canonical_json
from crossgate.service.objects import ObjectChange, object_to_dict
from crossgate.service.ports import NodeRollout, Proposal
from crossgate.store.tables import head, revisions, rollouts, versions

CHANNEL: Final = "crossgate"
"""PostgreSQL's NOTIFY channel for new revisions; the payload is the revision number."""

_MARK_OLD = (
    update(versions)
    .where(
        versions.c.kind == bindparam("old_kind"), versions.c.key == bindparam("old_key"), versions.c.current
    )
    .values(current=False)
)
_DELETE_ROLLOUT = delete(rollouts).where(
    rollouts.c.revision == bindparam("old_revision"), rollouts.c.node == bindparam("old_node")
)


def lock_head(connection: Connection) -> int:
    """The newest revision number; other writers wait until this transaction ends."""
    number: int = connection.execute(select(head.c.revision).with_for_update()).scalar_one()
    return number


def add_revision(connection: Connection, number: int, proposal: Proposal) -> None:
    """Insert a revision and one version of each object that it changes, and move the head to it."""
    difference = proposal.difference
    connection.execute(
        insert(revisions).values(
            number=number,
            author=proposal.author,
            at=proposal.at,
            message=proposal.message,
            objects=len(difference),
            rolls_back_to=proposal.rolls_back_to,
        )
    )
    connection.execute(_MARK_OLD, [{"old_kind": one.kind.value, "old_key": one.key} for one in difference])
    connection.execute(insert(versions), [_version(number, one) for one in difference])
    connection.execute(update(head).values(revision=number))
    if connection.dialect.name == "postgresql":
        # PostgreSQL sends it when the transaction commits, and only then.
        connection.execute(select(func.pg_notify(CHANNEL, str(number))))


def _version(number: int, change: ObjectChange) -> dict[str, object]:
    body = None if change.after is None else canonical_json(object_to_dict(change.after)).decode()
    return {
        "kind": change.kind.value,
        "key": change.key,
        "revision": number,
        "body": body,
        "current": True,
    }


def write_rollouts(connection: Connection, by_revision: Mapping[int, Iterable[NodeRollout]]) -> None:
    """Store rollouts by revision number; each replaces an earlier one of the same node and revision."""
    stored = select(revisions.c.number).where(revisions.c.number.in_(by_revision))
    rows = [
        {
            "revision": number,
            "node": one.node,
            "state": one.state.value,
            "at": one.at,
            "detail": one.detail,
        }
        for number in connection.execute(stored).scalars()
        for one in by_revision[number]
    ]
    if rows:
        old = [{"old_revision": row["revision"], "old_node": row["node"]} for row in rows]
        connection.execute(_DELETE_ROLLOUT, old)
        connection.execute(insert(rollouts), rows)
