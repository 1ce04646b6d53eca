"""All groups of refusals in memory, each with its state, so that lists read and judge only what changed.

Up to 10,000 groups are kept. To read and judge all of them takes a second of processor time, and lists,
counts and the state of the gateway need them all: a state depends on the policy, which no database can
evaluate. So the index keeps what it knows, and with each use

* it asks the store for a fingerprint of the groups, and reads those that changed,
* it judges again the groups that changed, and after a revision those of APIs whose policy can have changed,
* it adds what this control plane has not stored yet, without keeping it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from time import sleep
from typing import Final

from crossgate.catalogue.effective import Associations
from crossgate.catalogue.model import Catalogue
from crossgate.service.pending_refusals import add_deltas
from crossgate.service.policy_history import PolicyHistory
from crossgate.service.ports import CatalogueStore, RecentTelemetry, StoredRefusals, TelemetryStore
from crossgate.service.refusal_query import Position, RefusalOrder, position
from crossgate.service.refusal_states import GroupStatus, group_status
from crossgate.service.refusals import GroupDelta, RefusalGroup
from crossgate.service.replay import Fate, FateKind, Replayer
from crossgate.service.snapshot import Snapshot

_AT_ONCE: Final = 100
"""Groups that are judged before other threads get their turn: 5 ms."""
_PAUSE: Final = 0.0005


@dataclass(frozen=True, slots=True)
class JudgedGroup:
    """A group with its state, and with what becomes of its requests now."""

    group: RefusalGroup
    status: GroupStatus
    fate: Fate | None
    """None if the group has too little to tell."""


Ordered = list[tuple[Position, JudgedGroup]]


@dataclass(slots=True)
class _Known:
    """What the index has judged, at one head."""

    head: Snapshot
    replayer: Replayer
    stored: StoredRefusals
    judged: dict[str, JudgedGroup]
    """By id, as in ``stored``: to compute the ids of all groups takes longer than to sort them."""
    ordered: dict[RefusalOrder, Ordered] = field(default_factory=dict)

    def in_order(self, order: RefusalOrder) -> Ordered:
        """All groups with their places."""
        if order not in self.ordered:
            places = ((position(order, one.group, id_), one) for id_, one in self.judged.items())
            self.ordered[order] = sorted(places, key=_place)
        return self.ordered[order]


class RefusalIndex:
    """The groups of one control plane, without their hours. Thread-safe; blocks."""

    def __init__(
        self,
        catalogue: CatalogueStore,
        history: PolicyHistory,
        store: TelemetryStore,
        recent: RecentTelemetry,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._store = store
        self._recent = recent
        self._lock = Lock()
        self._replayer_lock = Lock()
        self._known: _Known | None = None
        self._stored: StoredRefusals | None = None
        self._pending: dict[str, tuple[RefusalGroup | None, tuple[GroupDelta, ...], JudgedGroup]] = {}
        self._replayer: Replayer | None = None

    def groups(self) -> list[RefusalGroup]:
        """All groups, pending ones included, without their states.

        Raises:
            StoreUnavailable: the database fails.

        """
        pending = self._recent.pending_groups()  # before the store: what moves in between is not missing
        with self._lock:
            stored = self._stored = self._store.all_refusals(self._stored)
        return add_deltas(stored.groups.values(), pending) if pending else [*stored.groups.values()]

    def in_order(self, order: RefusalOrder) -> Ordered:
        """All groups with their places in that order, pending ones included; do not change the list.

        Raises:
            StoreUnavailable: the database fails.

        """
        pending = self._recent.pending_groups()  # before the store, as above
        with self._lock:
            known = self._refresh()
            ordered, added = known.in_order(order), self._with_pending(known, pending)
        return _replaced(ordered, order, added, added) if added else ordered

    def judge(self, groups: Iterable[RefusalGroup]) -> list[JudgedGroup]:
        """These groups with their states, under the newest revision."""
        self._history.note_head()
        return [*self._judge(self.replayer(), {one.key.id: one for one in groups}).values()]

    def replayer(self) -> Replayer:
        """The replayer for the newest revision."""
        with self._replayer_lock:
            head = self._catalogue.head.catalogue
            known = self._replayer
            if known is None:
                known = self._replayer = Replayer(head)
            elif known.catalogue is not head:
                known = self._replayer = known.advance(head)
            return known

    def _refresh(self) -> _Known:
        self._history.note_head()
        head, replayer, known = self._catalogue.head, self.replayer(), self._known
        stored = self._stored = self._store.all_refusals(self._stored)
        if known is None:
            self._known = _Known(head, replayer, stored, self._judge(replayer, stored.groups))
            return self._known
        if known.stored is stored and known.head is head:
            return known
        again = {id_: one for id_, one in stored.groups.items() if known.stored.groups.get(id_) is not one}
        if known.head is not head:
            touched = self._touched(known, head)
            again |= {
                id_: one for id_, one in stored.groups.items() if touched is None or one.key.api in touched
            }
            self._pending.clear()
        new = self._judge(replayer, again)
        judged = {id_: one for id_, one in known.judged.items() if id_ in stored.groups} | new
        gone = new.keys() | (known.judged.keys() - judged.keys())
        ordered = {order: _replaced(one, order, gone, new) for order, one in known.ordered.items()}
        self._known = _Known(head, replayer, stored, judged, ordered)
        return self._known

    def _touched(self, known: _Known, head: Snapshot) -> set[str] | None:
        """The APIs whose groups can have other states since; None: all."""
        recorded = self._history.touched_since(known.head.revision)
        changed = _changed_apis(known.head.catalogue, known.replayer.associations, head.catalogue)
        return None if recorded is None or changed is None else changed | recorded

    def _with_pending(self, known: _Known, pending: Sequence[GroupDelta]) -> Mapping[str, JudgedGroup]:
        """The groups that have more than is stored, judged."""
        deltas: dict[str, list[GroupDelta]] = {}
        for one in pending:
            deltas.setdefault(one.key.id, []).append(one)
        found: dict[str, tuple[RefusalGroup | None, tuple[GroupDelta, ...], JudgedGroup]] = {}
        for id_, more in deltas.items():
            stored, added = known.stored.groups.get(id_), tuple(more)
            before = self._pending.get(id_)
            if before is not None and before[0] is stored and before[1] == added:
                found[id_] = before
                continue
            (merged,) = add_deltas([] if stored is None else [stored], added)
            judged = self._judge(known.replayer, {id_: replace(merged, hours={})})
            found[id_] = stored, added, judged[id_]
        self._pending = found
        return {id_: judged for id_, (_, _, judged) in found.items()}

    def _judge(self, replayer: Replayer, groups: Mapping[str, RefusalGroup]) -> dict[str, JudgedGroup]:
        found: dict[str, JudgedGroup] = {}
        for id_, group in groups.items():
            fate = replayer.fate(group)
            passes = fate is not None and fate.kind is FateKind.ALLOWED
            status = group_status(group, self._history.of(group.key.api), passes=passes)
            found[id_] = JudgedGroup(group, status, fate)
            if len(found) % _AT_ONCE == 0:
                sleep(_PAUSE)
        return found


def _replaced(
    ordered: Ordered, order: RefusalOrder, gone: Collection[str], new: Mapping[str, JudgedGroup]
) -> Ordered:
    """The list without the groups with the ids ``gone``, and with new ones."""
    found = [one for one in ordered if one[0][-1] not in gone]
    found += ((position(order, one.group, id_), one) for id_, one in new.items())
    found.sort(key=_place)
    return found


def _place(one: tuple[Position, JudgedGroup]) -> Position:
    return one[0]


def _changed_apis(before: Catalogue, associations: Associations, after: Catalogue) -> set[str] | None:
    """The APIs that differ, or whose applications do; None if what concerns all of them differs."""
    if before.settings != after.settings or before.gateway != after.gateway:
        return None
    _, found = associations.advance(after.applications)
    one, other = before.apis, after.apis
    found |= {key for key in one.keys() | other.keys() if one.get(key) is not other.get(key)}
    return found
