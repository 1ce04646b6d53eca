"""Publishes revisions, waits until the nodes have applied or rejected them, and records the outcome.

Everything here runs on the control plane's event loop. A revision may come from any thread; it is handed over
to the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from crossgate.app.events import ChangeEnforced, ChangePending, Emit, ResourcesRejected
from crossgate.app.published_versions import PublishedVersions
from crossgate.catalogue.model import Api
from crossgate.compiler.names import CLIENT_LISTENER, affected_apis, apis_by_resource
from crossgate.compiler.resource import ResourceKey
from crossgate.diagnostics import InvalidInput
from crossgate.net.address import HostPort
from crossgate.service.certificates import NodeCertificates
from crossgate.service.errors import StoreUnavailable
from crossgate.service.loading import batches
from crossgate.service.observers import Observers
from crossgate.service.ports import (
    CatalogueStore,
    NodeRejection,
    NodeReport,
    NodeRollout,
    NodeStanding,
    RolloutState,
    WatchedStore,
)
from crossgate.service.publisher import Publisher
from crossgate.service.snapshot import Snapshot
from crossgate.xds.ledger import Connection, Ledger, LedgerChange, NodeState, Rejection
from crossgate.xds.rollout_wait import RolloutResult, wait_until_decided
from crossgate.xds.server import ControlPlane

DECISION_SECONDS: Final = 10.0
"""How long the nodes have to decide before a change is reported as pending."""
_RECORD_DELAY_SECONDS: Final = 0.5
"""Outcomes within this time are recorded by one write: a write delays changes."""
_RECORD_RETRY_SECONDS: Final = 2.0
_MAX_UNRECORDED_REVISIONS: Final = 10_000
"""How many revisions are kept for a store that is unavailable; the oldest are dropped first."""


@dataclass(frozen=True, slots=True)
class RevisionApplied:
    """A connected node applied all that a revision changed, ``seconds`` after the revision was stored."""

    node: str
    seconds: float


class Rollout:
    """Publishes revisions to the nodes, and knows which revision each node runs."""

    def __init__(
        self,
        control_plane: ControlPlane,
        publisher: Publisher,
        store: CatalogueStore,
        emit: Emit,
        certificates: NodeCertificates | None = None,
    ) -> None:
        self.expected_nodes = 0
        """How many nodes a change waits for at least: 1 once this machine's node is ready."""
        self._control_plane = control_plane
        self._ledger: Ledger = control_plane.ledger
        self._store = store
        self._emit = emit
        self._publisher = publisher
        self._recorder = OutcomeRecorder(store)
        self._published = 0
        self._node_revisions: Mapping[str, int | None] = {}
        self._searched: Mapping[str, Api] = {}
        self._affected: dict[ResourceKey, tuple[str, ...]] = {}
        """The APIs of rejected resources, among the APIs that were searched last."""
        self._indexed: Mapping[str, Api] | None = None
        self._index: Mapping[ResourceKey, Sequence[str]] = {}
        self._sessions: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._applied = Observers[RevisionApplied]()
        self._versions = PublishedVersions()
        self._changed = Observers[None]()
        self.certificates = certificates or NodeCertificates()
        """What the nodes reported of theirs."""
        self.certificates.watch(lambda: self._changed.notify(None))

    @property
    def published(self) -> int:
        """The newest revision that was published."""
        return self._published

    @property
    def node_revisions(self) -> Mapping[str, int | None]:
        """The newest revision that each connected node decided on, if any. Never changed, but replaced."""
        return self._node_revisions

    def watch_applied(self, observer: Callable[[RevisionApplied], None]) -> Callable[[], None]:
        """Call ``observer`` when a node applied a revision, until the returned function is called."""
        return self._applied.add(observer)

    async def publish_first(self) -> None:
        """Publish everything but the clients' listener, in batches: nodes apply one while the next compiles.

        What was published while the store was read is not published again.
        """
        head = self._store.head
        self._versions.begin(head.revision, datetime.now(UTC))
        for batch in [head.catalogue] if self._publisher.catalogue.apis else batches(head.catalogue):
            await asyncio.to_thread(self._publisher.compile, batch)
            self._publisher.distribute(client_listener=False)
        self._published = head.revision

    def open_listener(self) -> None:
        """Publish the clients' listener."""
        self._publisher.distribute()

    def publish(self, head: Snapshot, began: float) -> None:
        """Publish a new revision, which was stored or noticed at ``began`` (:func:`time.perf_counter`)."""
        if head.revision <= self._published:
            return
        revisions = range(self._published + 1, head.revision + 1)
        self._publisher.compile(head.catalogue)
        before = {key: self._ledger.cache.version(key) for key in self._publisher.undistributed}
        publication = self._publisher.distribute()
        self._published = head.revision
        self._versions.add(head.revision, datetime.now(UTC), before, publication)
        self._changed.notify(None)
        self._start(self._await_decision(publication, revisions, began))

    async def first_node(self, name: str) -> None:
        """Wait until this machine's node, of that name, has applied or rejected everything.

        The clients' listener is published last: by then the node has all routes, and no client meets a 404.

        Raises:
            InvalidInput: the node rejected the clients' listener, so it serves nobody.

        """
        self.expected_nodes = 1
        pending = self._emit_when_pending(self._published)
        try:
            await wait_until_decided(self._ledger)
            self.open_listener()
            outcome = await wait_until_decided(self._ledger)
        finally:
            pending.cancel()
        listener = [one for one in outcome.rejections if one.node == name and one.key == CLIENT_LISTENER]
        if listener:
            raise InvalidInput(one.diagnostic() for one in listener)
        if outcome.rejections:
            self._emit(self._rejected(outcome.rejections, self._published))

    async def follow_store(self, store: WatchedStore) -> None:
        """Publish each new revision of the store, until cancelled."""
        loop = asyncio.get_running_loop()
        failed: asyncio.Future[None] = loop.create_future()

        def publish(began: float) -> None:
            try:
                self.publish(store.head, began)
            except Exception as error:  # noqa: BLE001 - raised below, where it ends the gateway
                if not failed.done():
                    failed.set_exception(error)

        def on_head(_: Snapshot) -> None:
            # Not in a task: it would run after the response to the client that made the change.
            loop.call_soon_threadsafe(publish, time.perf_counter())

        def on_pending_head(pending: Snapshot) -> None:
            # Compile a revision while the disk writes it; it is sent when it is stored.
            loop.call_soon_threadsafe(self._publisher.compile, pending.catalogue)

        stop = store.watch(on_head)
        stop_pending = store.watch_pending(on_pending_head)
        try:
            # A revision may have come between opening the store and this.
            publish(time.perf_counter())
            await failed
        finally:
            stop()
            stop_pending()

    async def follow_nodes(self) -> None:
        """Track which revision each node runs, and record outcomes, until cancelled."""
        stop = self._ledger.watch(self._on_ledger_change)
        for session in self._ledger.sessions:
            self._add_session(session)
        try:
            await self._recorder.run()
        finally:
            stop()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def revisions(self) -> Mapping[str, int | None]:
        """The revision that each connected node runs, by node; may be called from any thread."""
        return self._node_revisions

    def reports(self) -> Sequence[NodeReport]:
        """The state of every connected node; costs nodes times resources."""
        return [self._report(state) for state in self._ledger.nodes()]

    def standings(self) -> Sequence[NodeStanding]:
        """Every connected node in short; any thread may call it."""
        return [
            NodeStanding(
                session.node,
                self._node_revisions.get(session.node),
                len(self._ledger.rejected_by(session)),
                tuple(self.certificates.of(session.node)),
            )
            for session in tuple(self._ledger.sessions)
        ]

    @property
    def address(self) -> str:
        """Where nodes of other machines connect; empty if they cannot."""
        address = self._control_plane.address
        return str(address) if isinstance(address, HostPort) else ""

    def retry(self, node: str, resources: Collection[tuple[str, str]]) -> int | None:
        """Send a node once more those resources that it rejected."""
        sessions = [one for one in self._ledger.sessions if one.node == node]
        if not sessions:
            return None
        return sum(
            self._control_plane.retry(
                session,
                [
                    one.key
                    for one in self._ledger.rejected_by(session)
                    if (_kind(one.key), one.key[1]) in resources
                ],
            )
            for session in sessions
        )

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call ``observer`` when a revision was published or a node decided, connected or disconnected.

        The calls come from the event loop, until the returned function is called.
        """
        return self._changed.add(lambda _: observer())

    def _on_ledger_change(self, news: LedgerChange) -> None:
        session = news.session
        if session not in self._ledger.sessions:
            self._sessions.discard(session)
            connected = {one.node for one in self._sessions}
            self._node_revisions = {
                node: revision for node, revision in self._node_revisions.items() if node in connected
            }
            self.certificates.keep(connected)
        elif session not in self._sessions:
            self._add_session(session)
        self._changed.notify(None)

    def _add_session(self, session: Connection) -> None:
        self._sessions.add(session)
        self._node_revisions = {session.node: None} | dict(self._node_revisions)
        self._start(self._await_new_node(self._published))

    async def _await_new_node(self, revision: int) -> None:
        outcome = await wait_until_decided(self._ledger)
        self._note_outcome(outcome, range(revision, revision + 1))

    async def _await_decision(
        self, versions: Mapping[tuple[str, str], str | None], revisions: range, began: float
    ) -> None:
        def on_decided(session: Connection) -> None:
            if not any(key in versions for key in session.rejections):
                self._applied.notify(RevisionApplied(session.node, time.perf_counter() - began))

        pending = self._emit_when_pending(revisions[-1])
        try:
            outcome = await wait_until_decided(
                self._ledger, versions, nodes=self.expected_nodes, on_decided=on_decided
            )
        finally:
            pending.cancel()
        elapsed = (time.perf_counter() - began) * 1000
        self._note_outcome(outcome, revisions)
        if outcome.rejections:
            self._emit(self._rejected(outcome.rejections, revisions[-1]))
        elif versions:
            self._emit(ChangeEnforced(len(versions), elapsed, revisions[-1]))

    def _emit_when_pending(self, revision: int) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(DECISION_SECONDS, self._emit, ChangePending(DECISION_SECONDS, revision))

    def _note_outcome(self, outcome: RolloutResult, revisions: range) -> None:
        now, newest = datetime.now(UTC), revisions[-1]
        rejections = {one.node: one.message for one in outcome.rejections}
        outcomes = [
            NodeRollout(node, RolloutState.REJECTED, now, rejections[node])
            if node in rejections
            else NodeRollout(node, RolloutState.APPLIED, now)
            for node in outcome.nodes
        ]
        connected = {one.node for one in self._sessions}
        self._node_revisions = dict(self._node_revisions) | {
            node: max(newest, self._node_revisions.get(node) or 0)
            for node in outcome.nodes
            if node in connected
        }
        for revision in revisions:
            if revision > 0:
                self._recorder.record(revision, outcomes)
        self._changed.notify(None)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report(self, state: NodeState) -> NodeReport:
        revision, connected_at = self._node_revisions.get(state.node), _from_unix(state.connected_at)
        return NodeReport(
            node=state.node,
            connected_at=connected_at,
            acknowledged_at=None if state.acknowledged_at is None else _from_unix(state.acknowledged_at),
            revision=revision,
            resources=state.applied,
            pending=state.pending,
            rejections=tuple(map(self._rejection, state.rejections)),
            certificates=tuple(self.certificates.of(state.node)),
            undecided_apis=tuple(
                sorted({api for key in state.undecided for api in self._users().get(key, ())})
            ),
            behind_since=connected_at if revision is None else self._versions.behind_since(revision),
        )

    def _rejection(self, one: Rejection) -> NodeRejection:
        return NodeRejection(
            _kind(one.key),
            one.key[1],
            one.version,
            one.message,
            _from_unix(one.at),
            self._apis_of(one),
            self._versions.revision_of(one.key, one.version),
            None if one.kept is None else self._versions.last_with(one.key, one.kept),
        )

    def _users(self) -> Mapping[ResourceKey, Sequence[str]]:
        """The APIs that use each resource."""
        apis = self._publisher.catalogue.apis
        if self._indexed is not apis:
            self._indexed, self._index = apis, apis_by_resource(apis)
        return self._index

    def _rejected(self, rejections: Sequence[Rejection], revision: int) -> ResourcesRejected:
        nodes = tuple(sorted({one.node for one in rejections}))
        diagnostics = tuple(one.diagnostic(self._apis_of(one)) for one in rejections)
        return ResourcesRejected(diagnostics, revision, nodes)

    def _apis_of(self, rejection: Rejection) -> tuple[str, ...]:
        # The search reads all APIs, on the event loop: 16 ms with 5,000, whenever a client lists the nodes.
        apis = self._publisher.catalogue.apis
        if apis is not self._searched:
            self._searched, self._affected = apis, {}
        if rejection.key not in self._affected:
            self._affected[rejection.key] = affected_apis(rejection.key, apis)
        return self._affected[rejection.key]


class OutcomeRecorder:
    """Writes outcomes to the store in the background, and retries while it is unavailable."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store
        self._outcomes: dict[int, dict[str, NodeRollout]] = {}
        self._wake = asyncio.Event()

    def record(self, revision: int, outcomes: Iterable[NodeRollout]) -> None:
        """Queue these outcomes."""
        by_node = {one.node: one for one in outcomes}
        if not by_node:
            return
        self._outcomes.setdefault(revision, {}).update(by_node)
        while len(self._outcomes) > _MAX_UNRECORDED_REVISIONS:
            del self._outcomes[min(self._outcomes)]
        self._wake.set()

    async def run(self) -> None:
        """Write what is queued until cancelled, and once more then."""
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(_RECORD_DELAY_SECONDS)
                self._wake.clear()
                if not await self._write():
                    await asyncio.sleep(_RECORD_RETRY_SECONDS)
                    self._wake.set()
        finally:
            await self._write()

    async def _write(self) -> bool:
        """Whether the store is up to date."""
        outcomes, self._outcomes = self._outcomes, {}
        if not outcomes:
            return True
        written = {revision: tuple(by_node.values()) for revision, by_node in outcomes.items()}
        try:
            await asyncio.to_thread(self._store.record_rollouts, written)
        except StoreUnavailable:
            for revision, newer in self._outcomes.items():
                outcomes.setdefault(revision, {}).update(newer)
            self._outcomes = outcomes
            return False
        return True


def _kind(key: ResourceKey) -> str:
    return key[0].rpartition(".")[2]


def _from_unix(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
