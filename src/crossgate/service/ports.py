"""What the use cases need from a store, the nodes and the machine, and the values that they exchange.

SQLite, PostgreSQL and a plain file each provide a store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import uuid4

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.diagnostics import Diagnostic
from crossgate.service.certificates import CertificateState
from crossgate.service.errors import RESTORE, StoreUnavailable
from crossgate.service.objects import Difference, ObjectKey, ObjectKind
from crossgate.service.refusals import (
    AllowedDelta,
    AllowedOrigin,
    Disposition,
    GroupDelta,
    OtherRefusals,
    RefusalGroup,
    RequestRecord,
    SeenOrigin,
)
from crossgate.service.snapshot import Snapshot
from crossgate.service.traffic import RefusedCounts, TrafficCounts

JsonObject = Mapping[str, object]
"""A serialised object. History is returned in this form, even if this version can no longer parse it."""


def utc_now() -> datetime:
    """The default clock of the use cases."""
    return datetime.now(UTC)


class RolloutState(StrEnum):
    """What a node made of a revision."""

    PENDING = "pending"
    APPLIED = "applied"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class NodeRollout:
    """What one node made of one revision; ``detail`` is the node's message if it rejected it."""

    node: str
    state: RolloutState
    at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """The record of one change. Numbers begin at 1, without gaps; revision 0 is the empty catalogue."""

    number: int
    author: str
    at: datetime
    """UTC."""
    message: str
    objects: int
    """How many objects it changed."""
    rolls_back_to: int | None = None
    """The revision whose state it restored."""
    nodes: tuple[NodeRollout, ...] = ()
    named: tuple[ObjectKey, ...] = ()
    """The first of the objects that it changed, at most three; empty if only the number is known."""


@dataclass(frozen=True, slots=True)
class RevisionQuery:
    """Which revisions to find; the default finds all. An empty part matches everything."""

    author: str = ""
    """The whole name, compared without case."""
    api: str = ""
    """A key, or a name with any version, of an API that it changed."""
    application: str = ""
    """The name of an application that it changed."""
    text: str = ""
    """A part of the message, compared without case."""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One object before and after a revision; None where it did not exist."""

    kind: ObjectKind
    key: str
    stored_before: str | None
    stored_after: str | None

    @property
    def before(self) -> JsonObject | None:
        """The object before, decoded as in :attr:`RecordedObject.body`."""
        return _decode(self.kind, self.key, self.stored_before)

    @property
    def after(self) -> JsonObject | None:
        """The object after, decoded in the same way."""
        return _decode(self.kind, self.key, self.stored_after)


@dataclass(frozen=True, slots=True)
class RecordedRevision:
    """A revision with its difference, sorted by kind and key."""

    revision: Revision
    difference: tuple[RecordedChange, ...]


@dataclass(frozen=True, slots=True)
class RecordedObject:
    """An object at some revision; ``body`` is None if it did not exist."""

    kind: ObjectKind
    key: str
    stored: str | None
    """As JSON: decoding thousands takes long, and is left to those who read them."""

    @property
    def body(self) -> JsonObject | None:
        """The decoded object; raises StoreUnavailable if it is corrupt."""
        return _decode(self.kind, self.key, self.stored)


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """A revision and what came after it."""

    changed_since: Sequence[RecordedObject]
    """The objects that changed after the revision, as they were at it."""
    revision: RecordedRevision | None = None
    """None: revision 0."""
    later: Sequence[Revision] = ()
    """The newest first."""


def _decode(kind: ObjectKind, key: str, stored: str | None) -> JsonObject | None:
    if stored is None:
        return None
    try:
        decoded = json.loads(stored)
    except (ValueError, TypeError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise StoreUnavailable(f"the stored {kind} {key} is corrupt", RESTORE)
    return decoded


@dataclass(frozen=True, slots=True)
class Proposal:
    """A revision to store; with an empty difference, nothing is stored."""

    difference: Difference
    author: str
    at: datetime
    message: str = ""
    rolls_back_to: int | None = None


class CatalogueStore(Protocol):
    """Every revision of a catalogue, with the newest one in memory. Thread-safe.

    Methods that need the database raise :class:`~crossgate.service.errors.StoreUnavailable` if it fails.
    """

    @property
    def head(self) -> Snapshot:
        """The newest revision known to this process, from memory; never blocks."""
        ...

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> Snapshot:
        """Store what ``decide`` makes of the newest revision, and return the new head.

        No other writer, on any control plane, can commit in between. If ``decide`` raises, nothing is stored.
        When this returns, the whole revision is on disk.
        """
        ...

    def require_writable(self) -> None:
        """Return if writes are possible in principle.

        Raises:
            ReadOnly: they are not.

        """
        ...

    def refresh(self) -> Snapshot:
        """Read the revisions that other control planes stored, and return the head."""
        ...

    def revisions(
        self, *, before: int | None = None, limit: int = 50, query: RevisionQuery | None = None
    ) -> Sequence[Revision]:
        """Revisions older than ``before`` that match the query, the newest first."""
        ...

    def revision(self, number: int, *, limit: int | None = None) -> RecordedRevision | None:
        """One revision with its difference, or with the first ``limit`` objects of it."""
        ...

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Every object that existed at a revision.

        With ``changed_since``, only those that differ from the head, including those that did not exist.
        """
        ...

    def record_rollouts(self, rollouts: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Record rollouts by revision number; each replaces an earlier one of the same node and revision."""
        ...


class WatchedStore(CatalogueStore, Protocol):
    """A store that other processes write too, and that reports every new head."""

    def watch(self, observer: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``observer`` with each new head, in order, until the returned function is called.

        The call comes from the thread that read or stored the revision, so it must return quickly. Several
        revisions that are read together cause one call, with the last.
        """
        ...

    def watch_pending(self, observer: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``observer`` with each head that is about to be committed, and may still fail to be.

        For work that can overlap with the disk write. Its effects must wait for :meth:`watch`.
        """
        ...


class CounterKey(NamedTuple):
    """One counter of one Envoy process. ``incarnation`` names the process: its counters begin at 0."""

    node: str
    incarnation: str
    series: DecisionSeries


@dataclass(frozen=True, slots=True)
class TelemetryBatch:
    """What one control plane learnt since its last batch."""

    control_plane: str
    """Its name, the same after a restart."""
    hour: datetime
    """The hour (UTC) in which what is new counts."""
    counters: Mapping[CounterKey, int]
    """Of each changed counter, the value that its process reported.

    What no control plane has counted of it yet is added to the part of this one and to the decisions of
    ``hour``: value - sum of all parts, if positive. Only the store can tell: another control plane may have
    counted since this one looked, and a commit whose answer was lost must add nothing when it is repeated.
    """
    ended: Sequence[tuple[str, str]] = ()
    """Nodes and incarnations that are gone: this control plane's parts are summed under an empty one."""
    groups: Sequence[GroupDelta] = ()
    allowed: Sequence[AllowedDelta] = ()
    others: Sequence[OtherRefusals] = ()
    """Refusals that were counted without keeping their groups."""
    id: str = field(default_factory=lambda: uuid4().hex)
    """Tells a batch that is added again, after an error, from the next one."""
    minute: datetime | None = None
    """The minute (UTC) in which what is new counts; None: the first one of ``hour``."""


@dataclass(frozen=True, slots=True)
class StoredRefusals:
    """The groups of a store at one time, without their hours."""

    groups: Mapping[str, RefusalGroup] = field(default_factory=dict)
    """By id."""
    fingerprint: Hashable = None
    """Differs if any group does."""
    marks: Mapping[str, Hashable] = field(default_factory=dict)
    """By id: it differs if the group does."""


class TelemetryStore(Protocol):
    """Counts and refusals, shared by all control planes of one database. Thread-safe; blocks.

    A counter of a node is the sum of the parts that each control plane counted, so a node that changes
    control planes is counted once.

    The number of groups and of allowed origins is bounded, see `TelemetryLimits`.

    Methods raise :class:`~crossgate.service.errors.StoreUnavailable` if the database fails.
    """

    def own_counters(self, control_plane: str) -> Mapping[CounterKey, int]:
        """The parts that a control plane counted; ended processes are summed under an empty incarnation."""
        ...

    def counted_elsewhere(
        self, control_plane: str, node: str, incarnation: str
    ) -> Mapping[DecisionSeries, int]:
        """What other control planes counted of one process."""
        ...

    def add_telemetry(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        """Store a batch in several short transactions; returns this control plane's part of its counters.

        If it fails, a part of the batch may be stored. Add the same batch again, with its ``id`` and before
        any other one of this control plane: the rest is stored, and nothing is counted twice.

        A part never decreases. No other control plane can count the same requests in between.
        """
        ...

    def decisions(
        self, since: datetime, until: datetime, *, api: str | None = None
    ) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions by hour, at all control planes; what is older than 8 days, by day, at 0:00 UTC."""
        ...

    def traffic(self, since: datetime, until: datetime, apis: Collection[str] | None = None) -> TrafficCounts:
        """Decisions by kind, at all control planes: by minute of the last 3 hours, before that by hour.

        With ``apis``, those of these APIs, by hour. Nothing is kept for longer than 8 days, so that the work
        does not depend on the number of APIs.
        """
        ...

    def refused_by_api(self, since: datetime, until: datetime, apis: Collection[str]) -> RefusedCounts:
        """Refused and observed requests of each of these APIs, by hour as :meth:`decisions`.

        The work depends on the number of ``apis``, not on how many there are.
        """
        ...

    def refusals(self, *, since: datetime | None = None, api: str | None = None) -> Sequence[RefusalGroup]:
        """The groups that were seen since then, the most frequent first."""
        ...

    def all_refusals(self, known: StoredRefusals | None = None) -> StoredRefusals:
        """All groups, without their hours.

        ``known`` is an earlier result: what did not change is taken from it.
        If nothing changed, ``known`` itself is returned.
        """
        ...

    def refusal(self, group_id: str) -> RefusalGroup | None:
        """The group with that id."""
        ...

    def other_refusals(
        self, *, since: datetime | None = None, api: str | None = None
    ) -> Sequence[OtherRefusals]:
        """Refusals since that day whose groups were not kept, by API, reason and mode."""
        ...

    def allowed_origins(self, *, api: str | None = None) -> Sequence[AllowedOrigin]:
        """Origins that were allowed, the most frequent first."""
        ...

    def seen_origins(self, origins: Collection[str] | None = None) -> Sequence[SeenOrigin]:
        """Where and when these origins were allowed, by origin and API; None: all that are kept."""
        ...

    def dispose(self, group_id: str, disposition: Disposition | None) -> RefusalGroup | None:
        """Set what was decided about a group; None opens it. Returns the group, None if there is none."""
        ...

    def client_key(self, day: datetime) -> bytes:
        """The secret key of that day for hashes of clients' addresses, the same for all control planes.

        It is created when first needed, and removed when the day is over: with the first key of a later day,
        or by `prune_telemetry`. For a day whose key was removed, the newest key is returned.
        """
        ...

    def prune_telemetry(self, before: datetime, apis: Sequence[str] | None = None) -> None:
        """Remove what was last seen before that time, and counters of APIs that are not among ``apis``.

        Counters of a process that has not ended stay, unless all of them were last counted before that
        time: the process would report them again, and they would be counted twice.
        """
        ...


class RecentTelemetry(Protocol):
    """What this control plane learnt and may not have stored yet. Thread-safe; does not block."""

    def pending_groups(self) -> Sequence[GroupDelta]:
        """Refusals that are not stored yet."""
        ...

    def pending_decisions(self) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions that are not stored yet, by hour (UTC)."""
        ...

    def totals(self) -> Mapping[CounterKey, int]:
        """What each Envoy process of this control plane's nodes counted, since the process began."""
        ...

    def find_request(self, request_id: str) -> RequestRecord | None:
        """The request with that id, if it is among those that are still in a sample."""
        ...

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Call ``callback`` after each new count or report, until the returned function is called.

        The call comes from any thread, at most some times a second, and must return quickly.
        """
        ...


class ChangeCheck(Protocol):
    """What the gateway's machine knows about a change and its catalogue does not: files, addresses, names."""

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        """What is wrong with what the change from ``base`` brings; places are as in a plan.

        Errors refuse the change, warnings are returned with it. Blocks, for seconds if names are resolved.
        """
        ...


@dataclass(frozen=True, slots=True)
class NodeRejection:
    """A resource that a node rejected; the node keeps the version before."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime
    apis: tuple[str, ...]
    """Keys of the APIs that the resource belongs to; empty if it belongs to the whole gateway."""
    revision: int | None = None
    """The revision that brought the rejected version; None if it is older than this control plane's start."""
    keeps: int | None = None
    """The newest revision whose version the node still runs; None if there is none or it is not known."""


class Enforcement(StrEnum):
    """Whether a node enforces the newest revision."""

    ENFORCED = "enforced"
    PARTLY = "partly"
    """It rejected a resource, and keeps the version before."""
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """One connected node, in short: what is cheap to know of very many resources."""

    node: str
    revision: int | None
    """As in `NodeReport`."""
    rejected: int
    """Resources that it rejects at present."""
    certificates: tuple[CertificateState, ...] = ()

    def state(self, head: int) -> Enforcement:
        """Whether it enforces that revision, which is the newest one."""
        if self.rejected:
            return Enforcement.PARTLY
        return (
            Enforcement.ENFORCED
            if self.revision is not None and self.revision >= head
            else Enforcement.BEHIND
        )


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one connected node runs, according to its own acknowledgements."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision of which the node applied or rejected every resource."""
    resources: int
    pending: int
    rejections: tuple[NodeRejection, ...]
    undecided_apis: tuple[str, ...] = ()
    """Keys of the APIs of which it has not acknowledged every wanted resource; rejected ones are not here."""
    certificates: tuple[CertificateState, ...] = ()
    """Those that its Envoy uses, as far as the node reports them."""
    behind_since: datetime | None = None
    """When the first revision was published that it has not decided on; None if it has decided on all."""

    @property
    def state(self) -> Enforcement:
        """Whether it enforces the newest published revision."""
        if self.rejections:
            return Enforcement.PARTLY
        return Enforcement.BEHIND if self.behind_since or self.pending else Enforcement.ENFORCED
