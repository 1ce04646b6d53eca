"""What a revision changed for origins: who gained and who lost access, and which requests met it since."""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.service.access import AccessChange, find_access_changes
from crossgate.service.errors import InvalidChange
from crossgate.service.loading import parse_objects
from crossgate.service.objects import ObjectChange, with_objects
from crossgate.service.ports import CatalogueStore, RecordedObject, RecordedRevision
from crossgate.service.replay import Replay, Replayer, TelemetryRecords


@dataclass(frozen=True, slots=True)
class RevisionEffect:
    """The effect of one revision."""

    access: tuple[AccessChange, ...]
    replay: Replay
    """Of what was seen since: ``lost`` passed before the revision and is refused by it."""


def revision_effect(
    store: CatalogueStore, recorded: RecordedRevision, records: TelemetryRecords
) -> RevisionEffect | None:
    """The effect; None if this version cannot parse an object of that time.

    Raises:
        StoreUnavailable: the database fails.

    """
    number, at = recorded.revision.number, recorded.revision.at
    try:
        later = parse_objects(store.objects_at(number, changed_since=True))
        sides = [
            parse_objects(RecordedObject(one.kind, one.key, body) for one, body in side)
            for side in (
                [(one, one.stored_before) for one in recorded.difference],
                [(one, one.stored_after) for one in recorded.difference],
            )
        ]
    except InvalidChange:
        return None
    after = with_objects(store.head.catalogue, later)
    before = with_objects(after, sides[0])
    difference = tuple(
        ObjectChange(one.kind, one.key, sides[0][one.kind, one.key], sides[1][one.kind, one.key])
        for one in recorded.difference
    )
    since = [one for one in records.groups if one.last_seen >= at]
    return RevisionEffect(
        tuple(find_access_changes(before, after, difference)), Replayer(before).replay(after, since)
    )
