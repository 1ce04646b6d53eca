"""From a new head to what the nodes made of it: publishes, waits for their word, and has it recorded.

Everything here runs on the control plane's event loop; heads come from whichever thread learnt of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from crossgate.app.events import ChangeEnforced, ChangePending, Emit, ResourcesRejected
from crossgate.app.recording import Recorder
from crossgate.compiler.concerned import concerned
from crossgate.service.loading import batches
from crossgate.service.ports import (
    CatalogueStore,
    NodeRejection,
    NodeReport,
    NodeRollout,
    RolloutState,
    WatchedStore,
)
from crossgate.service.publisher import Publisher
from crossgate.service.snapshot import Snapshot
from crossgate.xds.ledger import Ledger, LedgerChange, NodeState, Rejection, Session
from crossgate.xds.rollout_wait import RolloutResult, wait_until_decided
from crossgate.xds.server import ControlPlane

DECISION_SECONDS: Final = 10.0
"""So long the nodes have before a change is reported as pending."""


class Rollout:
    """Publishes heads, and knows which revision each node runs."""

    def __init__(
        self, control_plane: ControlPlane, publisher: Publisher, store: CatalogueStore, emit: Emit
    ) -> None:
        self.expected_nodes = 0
        """How many nodes are waited for: this machine's, once it is there."""
        self._ledger: Ledger = control_plane.ledger
        self._store = store
        self._emit = emit
        self._publisher = publisher
        self._recorder = Recorder(store)
        self._head = 0
        self._runs: Mapping[str, int | None] = {}
        self._sessions: set[Session] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    async def publish_first(self) -> None:
        """Publish all but the clients' listener; nodes take a batch while the next one is compiled.

        What was published while it was read is not published again.
        """
        head = self._store.head
        for batch in [head.catalogue] if self._publisher.catalogue.apis else batches(head.catalogue):
            await asyncio.to_thread(self._publisher.compile, batch)
            self._publisher.distribute(opened=False)
        self._head = head.revision

    def open(self) -> None:
        """Publish the clients' listener."""
        self._publisher.distribute()

    def publish(self, head: Snapshot, began: float) -> None:
        """Publish a new head; ``began`` is when (:func:`time.perf_counter`) it was first heard of."""
        if head.revision <= self._head:
            return
        covered = range(self._head + 1, head.revision + 1)
        published = self._publisher.publish(head.catalogue)
        self._head = head.revision
        self._soon(self._settle(published.versions, covered, began))

    async def first_node(self) -> None:
        """Wait until this machine's node has decided on all that there is; say so if that takes long.

        It is given the clients' listener last: it has the routes by then.
        """
        self.expected_nodes = 1
        late = self._say_if_late()
        try:
            await wait_until_decided(self._ledger)
            self.open()
            outcome = await wait_until_decided(self._ledger)
        finally:
            late.cancel()
        if outcome.rejections:
            self._emit(self._rejected(outcome.rejections))

    async def follow_store(self, store: WatchedStore) -> None:
        """Publish each new head of the store, until cancelled."""
        loop = asyncio.get_running_loop()
        failed: asyncio.Future[None] = loop.create_future()

        def publish() -> None:
            try:
                self.publish(store.head, time.perf_counter())
            except Exception as error:  # noqa: BLE001 - raised below, where it ends the gateway
                if not failed.done():
                    failed.set_exception(error)

        def wake(_: Snapshot) -> None:
            # Not by a task of its own: that would come after the answer to who made the change.
            loop.call_soon_threadsafe(publish)

        def compile_early(coming: Snapshot) -> None:
            # What is stored is compiled while the disk writes it, and sent when that is done.
            loop.call_soon_threadsafe(self._publisher.compile, coming.catalogue)

        stop = store.watch(wake)
        stop_pending = store.watch_pending(compile_early)
        try:
            # What the store learnt between its opening and this is a new head, too.
            publish()
            await failed
        finally:
            stop()
            stop_pending()

    async def follow_nodes(self) -> None:
        """Learn what nodes run, and have it recorded, until cancelled."""
        stop = self._ledger.watch(self._hear)
        for session in self._ledger.sessions:
            self._arrive(session)
        try:
            await self._recorder.run()
        finally:
            stop()
            for task in self._waiting:
                task.cancel()
            await asyncio.gather(*self._waiting, return_exceptions=True)

    def revisions(self) -> Mapping[str, int | None]:
        """By node, the revision that it runs; from any thread."""
        return self._runs

    def reports(self) -> Sequence[NodeReport]:
        """Every connection, and what it says."""
        return [self._report(state) for state in self._ledger.nodes()]

    def _hear(self, news: LedgerChange) -> None:
        session = news.session
        if session not in self._ledger.sessions:
            self._sessions.discard(session)
            here = {one.node for one in self._sessions}
            self._runs = {node: runs for node, runs in self._runs.items() if node in here}
        elif session not in self._sessions:
            self._arrive(session)

    def _arrive(self, session: Session) -> None:
        self._sessions.add(session)
        self._runs = {session.node: None} | dict(self._runs)
        self._soon(self._settle_arrival(self._head))

    async def _settle_arrival(self, revision: int) -> None:
        outcome = await wait_until_decided(self._ledger)
        self._note(outcome, range(revision, revision + 1))

    async def _settle(
        self, versions: Mapping[tuple[str, str], str | None], covered: range, began: float
    ) -> None:
        late = self._say_if_late()
        try:
            outcome = await wait_until_decided(self._ledger, versions, nodes=self.expected_nodes)
        finally:
            late.cancel()
        elapsed = (time.perf_counter() - began) * 1000
        self._note(outcome, covered)
        if outcome.rejections:
            self._emit(self._rejected(outcome.rejections))
        elif versions:
            self._emit(ChangeEnforced(len(versions), elapsed))

    def _say_if_late(self) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(DECISION_SECONDS, self._emit, ChangePending(DECISION_SECONDS))

    def _note(self, outcome: RolloutResult, revisions: range) -> None:
        now, newest = datetime.now(UTC), revisions[-1]
        refused = {one.node: one.message for one in outcome.rejections}
        outcomes = [
            NodeRollout(node, RolloutState.REJECTED, now, refused[node])
            if node in refused
            else NodeRollout(node, RolloutState.APPLIED, now)
            for node in outcome.nodes
        ]
        here = {one.node for one in self._sessions}
        self._runs = dict(self._runs) | {
            node: max(newest, self._runs.get(node) or 0) for node in outcome.nodes if node in here
        }
        for revision in revisions:
            if revision > 0:
                self._recorder.record(revision, outcomes)

    def _soon(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def _report(self, state: NodeState) -> NodeReport:
        return NodeReport(
            node=state.node,
            connected_at=_time(state.connected_at),
            acknowledged_at=None if state.acknowledged_at is None else _time(state.acknowledged_at),
            revision=self._runs.get(state.node),
            resources=state.applied,
            pending=state.pending,
            rejections=tuple(map(self._rejection, state.rejections)),
        )

    def _rejection(self, one: Rejection) -> NodeRejection:
        kind, name = one.key
        return NodeRejection(
            kind.rpartition(".")[2], name, one.version, one.message, _time(one.at), self._concerned(one)
        )

    def _rejected(self, rejections: Iterable[Rejection]) -> ResourcesRejected:
        return ResourcesRejected(tuple(one.diagnostic(self._concerned(one)) for one in rejections))

    def _concerned(self, rejection: Rejection) -> tuple[str, ...]:
        return concerned(rejection.key, self._publisher.catalogue.apis)


def _time(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
