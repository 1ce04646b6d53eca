"""Joins what the nodes of this control plane report, and stores it.

Reports come at any time, in the event loop; every `STORE_SECONDS`, a thread stores what is new. All state is
in memory and bounded. While the store is unavailable, counts and groups go on, and the log names the outage.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, TypeVar

from crossgate.catalogue.telemetry import Telemetry
from crossgate.compiler.route_names import DecisionSeries
from crossgate.compiler.token_buckets import bucket_rates
from crossgate.service.errors import StoreUnavailable
from crossgate.service.log import Log
from crossgate.service.observers import Observers
from crossgate.service.ports import CounterKey, TelemetryBatch, TelemetryStore, utc_now
from crossgate.service.refusals import GroupDelta, RequestRecord
from crossgate.telemetry.decision_counts import FORGOTTEN_AFTER
from crossgate.telemetry.groups import RefusalGroups
from crossgate.telemetry.refusal_log import RefusalLog
from crossgate.telemetry.reported_counters import LogDeliveries
from crossgate.telemetry.request_sample import RecentRequests
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.telemetry.shared_counts import SharedCounts

STORE_SECONDS: Final = 2.0
KEPT: Final = timedelta(days=30)
"""Groups and counts by hour that are older are removed."""
_PRUNE_EVERY: Final = timedelta(hours=1)

_MAX_NODES: Final = 10_000
"""Nodes and processes of which the last report is remembered, whether or not they counted a decision."""

_Process = tuple[str, str]
"""A node and the incarnation of its Envoy."""


_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class CollectorActivity:
    """What the collector did since it began, for metrics."""

    stored_batches: int
    failed_batches: int
    received: Mapping[str, int]
    """Requests that were reported one by one, by node."""
    deliveries: Mapping[_Process, LogDeliveries]
    """Of the processes that have not ended."""
    flushed: Mapping[str, datetime]
    """When the counters of each node were read last."""
    groups: int
    """In memory."""
    displaced_groups: int


class Collector:
    """Telemetry of one control plane, in memory; thread-safe.

    ``control_plane`` is its name in the store, the same after a restart. Until ``store`` is set, reports are
    kept, as far as they are bounded, and nothing is stored.
    """

    def __init__(self, control_plane: str, *, now: Callable[[], datetime] = utc_now) -> None:
        self.store: TelemetryStore | None = None
        self._now = now
        self._storing = Lock()
        self._apis: Collection[str] | None = None
        self._counts = SharedCounts(control_plane)
        # Of all that follows.
        self._lock = Lock()
        self._deliveries: dict[_Process, LogDeliveries] = {}
        self._client_keys: dict[datetime, bytes] = {}
        self._groups = RefusalGroups(self._client_keys.get)
        self._recent = RecentRequests()
        self._refusal_log = RefusalLog(Log("refusals"))
        self._observers = Observers[None]()
        self._unstored: TelemetryBatch | None = None
        self._failing_since: datetime | None = None
        self._pruned: datetime | None = None
        self._changed = False
        self._stored_batches = self._failed_batches = 0
        self._received: dict[str, int] = {}
        self._flushed: dict[str, datetime] = {}
        self._log = Log("telemetry")

    # Reports of nodes.

    def counted(self, node: str, incarnation: str, values: Mapping[DecisionSeries, int]) -> None:
        """Take in the values of some counters of one Envoy process, since it began."""
        with self._lock:
            self._changed = True
            self._counts.note(node, incarnation, values)

    def sampled(self, requests: Sequence[SampledRequest]) -> None:
        """Take in requests that a node reports one by one."""
        now = self._now().timestamp()
        with self._lock:
            self._changed = True
            for request in requests:
                self._received[request.node] = self._received.pop(request.node, 0) + 1
                self._groups.add(request)
                self._recent.add(request, now)
            _drop_oldest(self._received)

    def delivered(self, node: str, incarnation: str, deliveries: LogDeliveries) -> None:
        """Note how many requests one Envoy process did not report one by one, since it began."""
        with self._lock:
            self._deliveries.pop((node, incarnation), None)
            self._deliveries[node, incarnation] = deliveries
            _drop_oldest(self._deliveries)

    def flushed(self, node: str) -> None:
        """Note that all counters of a process of the node were read."""
        with self._lock:
            self._flushed.pop(node, None)
            self._flushed[node] = self._now()
            _drop_oldest(self._flushed)

    # What is known, for others.

    def activity(self) -> CollectorActivity:
        """What happened so far; copies."""
        with self._lock:
            return CollectorActivity(
                self._stored_batches,
                self._failed_batches,
                dict(self._received),
                dict(self._deliveries),
                dict(self._flushed),
                self._groups.size,
                self._groups.displaced,
            )

    @property
    def sums(self) -> SharedCounts:
        """The sums of the counters, for metrics."""
        return self._counts

    def totals(self) -> Mapping[CounterKey, int]:
        """What this control plane counted of each Envoy process, as far as it is stored."""
        return self._counts.parts()

    def pending_groups(self) -> Sequence[GroupDelta]:
        """Refusals that are not stored yet."""
        unstored = self._unstored
        return () if unstored is None else unstored.groups

    def pending_decisions(self) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions that are not stored yet, by hour (UTC)."""
        hour = _hour(self._now())
        pending = self._counts.pending()
        return {(hour, series): count for series, count in pending.items()}

    def find_request(self, request_id: str) -> RequestRecord | None:
        """The request with that id, if it is among those that are still in a sample."""
        with self._lock:
            return self._recent.find(request_id, self._now().timestamp())

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Call ``callback`` from a thread after something new was stored, until the result is called."""
        return self._observers.add(lambda _: callback())

    # What the catalogue says.

    def configure(self, telemetry: Telemetry, apis: Collection[str]) -> None:
        """Follow the catalogue: what nodes report, and which APIs exist."""
        with self._lock:
            self._groups.configure(bucket_rates(telemetry))
        self._apis = apis
        self._counts.keep_apis(apis)

    # The store. These run in a thread.

    def store_now(self, *, last: bool = False) -> bool:
        """Store what is new; returns whether it is stored. If the store is unavailable, call it again.

        The ``last`` call, when nodes report nothing more, also stores what waits for reports or a place.
        """
        store = self.store
        if store is None:
            return True
        with self._storing:
            # Whether or not the store answers: decisions are set against the reports of the same time.
            self._note_decisions()
            try:
                self._prepare(store)
                if last:
                    # Of processes that reported for the first time.
                    self._note_decisions()
                self._store_batches(store, last=last)
                self._prune(store)
            except StoreUnavailable as error:
                self._failed_batches += 1
                self._note_failure(error)
                stored = False
            except Exception:
                # A fault of ours: this batch would fail again, and none after it would be stored.
                # The next one has its counters.
                self._unstored = None
                raise
            else:
                self._note_success()
                stored = True
        with self._lock:
            changed, self._changed = self._changed, False
        if changed:
            self._observers.notify(None)
        return stored

    def _prepare(self, store: TelemetryStore) -> None:
        """Read what only the store knows, and take in the reports that waited for it."""
        now = self._now()
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if day not in self._client_keys:
            key = store.client_key(day)
            with self._lock:
                self._client_keys.clear()
                self._client_keys[day] = key
        self._counts.prepare(store)

    def _note_decisions(self) -> None:
        now = self._now().timestamp()
        increments = self._counts.take_increments()
        with self._lock:
            self._groups.counted(increments, now)

    def _store_batches(self, store: TelemetryStore, *, last: bool) -> None:
        """Store the batch that failed before, if there is one, and then what is new."""
        if self._unstored is not None:
            self._add(store, self._unstored)
        now = self._now()
        batch = self._unstored = self._take(now, last=last)
        self._refusal_log.record(batch.groups, batch.others, now.timestamp())
        self._add(store, batch)

    def _take(self, now: datetime, *, last: bool) -> TelemetryBatch:
        counters = self._counts.take(now)
        with self._lock:
            groups, allowed, others = self._groups.take(now.timestamp(), last=last)
        return replace(counters, groups=groups, allowed=allowed, others=others)

    def _add(self, store: TelemetryStore, batch: TelemetryBatch) -> None:
        if batch.counters or batch.ended or batch.groups or batch.allowed or batch.others:
            parts = store.add_telemetry(batch)
            self._counts.stored(batch, parts)
            with self._lock:
                self._stored_batches += 1
                for ended in batch.ended:
                    self._deliveries.pop(ended, None)
        self._unstored = None

    def _prune(self, store: TelemetryStore) -> None:
        now = self._now()
        # A clock that is set back must not end it until it is where it was.
        if self._pruned is None or not timedelta() <= now - self._pruned < _PRUNE_EVERY:
            store.prune_telemetry(now - KEPT, None if self._apis is None else list(self._apis))
            self._forget_silent_nodes(now)
            self._pruned = now

    def _forget_silent_nodes(self, now: datetime) -> None:
        counted = self._counts.forget_silent(now)
        with self._lock:
            # A node that never counted a decision is known here only.
            nodes = {*counted, *(node for node, at in self._flushed.items() if now - at >= FORGOTTEN_AFTER)}
            for process in [process for process in self._deliveries if process[0] in nodes]:
                del self._deliveries[process]
            for node in nodes:
                self._received.pop(node, None)
                self._flushed.pop(node, None)

    def _note_failure(self, error: StoreUnavailable) -> None:
        if self._failing_since is None:
            self._failing_since = self._now()
            self._log.warning(
                "telemetry is not stored; counts go on, and are stored when the store answers",
                reason=str(error),
            )

    def _note_success(self) -> None:
        if self._failing_since is not None:
            seconds = (self._now() - self._failing_since).total_seconds()
            self._log.warning("telemetry is stored again", after_seconds=round(seconds, 1))
            self._failing_since = None


def _drop_oldest(entries: dict[_K, _V]) -> None:
    while len(entries) > _MAX_NODES:
        del entries[next(iter(entries))]


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
