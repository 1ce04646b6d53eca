"""Nodes restart and change control planes, stores fail, control planes are killed: counts stay exact."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.telemetry_model import ModelStore

from crossgate.compiler.route_names import DecisionSeries
from crossgate.telemetry.decision_counts import ENDED_AFTER, FORGOTTEN_AFTER, DecisionCounts

SERIES = [DecisionSeries(f"api-{n}/1", f"/api-{n}", "preflight", "allowed") for n in range(2)]
NODES = st.sampled_from(["n1", "n2"])
PLANES = st.sampled_from(["A", "B"])


@dataclass
class Process:
    incarnation: str
    plane: str
    counted: Counter[DecisionSeries] = field(default_factory=Counter)


class Nodes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = ModelStore()
        self.planes = {name: DecisionCounts(name, {}) for name in "AB"}
        self.shown: dict[str, Counter[DecisionSeries]] = {name: Counter() for name in "AB"}
        self.spawned = 0
        self.truth: Counter[DecisionSeries] = Counter()
        self.processes = {node: self.spawn("A") for node in ("n1", "n2")}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def spawn(self, plane: str) -> Process:
        self.spawned += 1
        return Process(f"i{self.spawned}", plane)

    @rule(node=NODES, series=st.sampled_from(SERIES), by=st.integers(1, 9))
    def count(self, node: str, series: DecisionSeries, by: int) -> None:
        self.processes[node].counted[series] += by
        self.truth[series] += by

    @rule(node=NODES, whole=st.booleans(), informed=st.booleans())
    def report(self, node: str, whole: bool = True, informed: bool = True) -> None:
        process = self.processes[node]
        values = dict(process.counted) if whole else dict([*process.counted.items()][:1])
        others = self.store.counted_elsewhere(process.plane, node, process.incarnation) if informed else {}
        counts = self.planes[process.plane]
        if counts.is_forgotten(node):
            counts.recall(node, self.store.own(process.plane))
        before = self.planes[process.plane].pending()
        new = self.planes[process.plane].report(node, process.incarnation, values, others)
        assert Counter(before) + Counter(new) == Counter(self.planes[process.plane].pending())

    @rule(node=NODES, plane=PLANES)
    def move(self, node: str, plane: str) -> None:
        self.processes[node].plane = plane

    @rule(node=NODES)
    def restart(self, node: str) -> None:
        """As a graceful one: the last values arrive."""
        self.report(node)
        self.processes[node] = self.spawn(self.processes[node].plane)

    @rule(plane=PLANES, outcome=st.sampled_from(["stored", "failed", "answer lost"]))
    def write(self, plane: str, outcome: str = "stored") -> None:
        counts = self.planes[plane]
        batch = counts.take(self.now)
        if outcome != "failed":
            parts = self.store.add(batch)
            if outcome == "stored":
                counts.stored(batch, parts)

    @rule(plane=PLANES)
    def kill_control_plane(self, plane: str) -> None:
        """What ended processes reported to it and it did not store would be lost: it stores that first."""
        if self.planes[plane].pending():
            self.write(plane)
        self.planes[plane] = DecisionCounts(plane, self.store.own(plane))

    @rule()
    def pass_time(self) -> None:
        self.now += ENDED_AFTER + timedelta(seconds=1)

    @rule(plane=PLANES)
    def forget(self, plane: str) -> None:
        """Nodes are cut off from a control plane for more than a day."""
        self.write(plane)
        self.now += FORGOTTEN_AFTER
        forgotten = self.planes[plane].forget_silent(self.now)
        assert not forgotten & self.planes[plane].totals_by_node().keys()

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        assert self.store.total() <= self.truth
        assert +self.store.decisions == self.store.total()

    @invariant()
    def totals_never_fall(self) -> None:
        for name, counts in self.planes.items():
            assert self.shown[name] <= Counter(counts.totals())
            self.shown[name] = Counter(counts.totals())
            by_node: Counter[DecisionSeries] = Counter()
            for series in counts.totals_by_node().values():
                by_node.update(series)
            if not any(map(counts.is_forgotten, ("n1", "n2"))):
                assert +by_node == +self.shown[name]

    def teardown(self) -> None:
        for node in self.processes:
            self.report(node)
        for plane, counts in self.planes.items():
            self.write(plane)
            assert not counts.pending()
        assert self.store.total() == self.truth
        shown = sum((Counter(counts.totals()) for counts in self.planes.values()), Counter())
        assert shown == self.truth
        # Processes that ended are folded.
        for _ in range(3):
            self.pass_time()
            for node in self.processes:
                self.report(node)
            for plane in self.planes:
                self.write(plane)
        for plane in self.planes:
            for key in self.store.own(plane):
                heard_there = self.processes[key.node].plane == plane
                assert not heard_there or key.incarnation in ("", self.processes[key.node].incarnation)
        assert self.store.total() == self.truth


TestNodes = Nodes.TestCase
TestNodes.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
