"""A model of the shared store: the parts of every control plane, and the decisions by hour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey, TelemetryBatch


class ModelStore:
    def __init__(self) -> None:
        self.parts: defaultdict[str, Counter[CounterKey]] = defaultdict(Counter)
        self.decisions: Counter[DecisionSeries] = Counter()

    def own(self, control_plane: str) -> Mapping[CounterKey, int]:
        return dict(self.parts[control_plane])

    def counted_elsewhere(
        self, control_plane: str, node: str, incarnation: str
    ) -> Mapping[DecisionSeries, int]:
        found: Counter[DecisionSeries] = Counter()
        for other, parts in self.parts.items():
            for key, part in parts.items():
                if other != control_plane and (key.node, key.incarnation) == (node, incarnation):
                    found[key.series] += part
        return found

    def add(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        own = self.parts[batch.control_plane]
        for key, value in batch.counters.items():
            new = max(0, value - sum(parts[key] for parts in self.parts.values()))
            own[key] += new
            self.decisions[key.series] += new
        answer = {key: own[key] for key in batch.counters}
        for key in [key for key in own if (key.node, key.incarnation) in batch.ended]:
            own[CounterKey(key.node, "", key.series)] += own.pop(key)
        return answer

    def total(self) -> Counter[DecisionSeries]:
        total: Counter[DecisionSeries] = Counter()
        for parts in self.parts.values():
            for key, part in parts.items():
                total[key.series] += part
        return +total
