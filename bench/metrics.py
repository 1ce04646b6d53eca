"""The page `/metrics` with 60,000 series, against prometheus_client: `python -m bench.metrics`.

Aim: under 100 ms, summed over nodes. The same numbers are rendered by prometheus_client's own
`generate_latest`, as children of a counter, in the same run.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

from prometheus_client import CollectorRegistry, Counter, generate_latest

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.ports import CounterKey
from crossgate.telemetry.decision_counts import DecisionCounts
from crossgate.telemetry.metrics import DECISION_LABELS, DECISIONS, MetricsPage, label_values

APIS = 5_000
NODES = 3
ROUNDS = 9
OUTCOMES = (
    ("preflight", "preflight-allowed"),
    ("preflight", "origin-refused"),
    ("preflight", "method-refused"),
    ("preflight", "method-missing"),
    ("preflight", "origin-missing"),
    ("preflight", "header-refused"),
    ("cors-request", "origin-allowed"),
    ("cors-request", "origin-refused"),
    ("no-origin", "no-origin"),
    ("malformed", "path-malformed"),
    ("malformed", "host-malformed"),
    ("malformed", "method-forbidden"),
)


def _series() -> list[DecisionSeries]:
    return [
        DecisionSeries(f"api-{number}/1.0", f"/gateway/api-{number}/1.0", flow, reason)
        for number in range(APIS)
        for flow, reason in OUTCOMES
    ]


def _counts(series: list[DecisionSeries]) -> DecisionCounts:
    parts = {
        CounterKey(f"node-{node}", "1", one): number * 7 + node + 1
        for node in range(NODES)
        for number, one in enumerate(series)
    }
    counts = DecisionCounts("bench", parts)
    counts.keep_apis({one.api for one in series})
    return counts


def _children(series: list[DecisionSeries]) -> CollectorRegistry:
    registry = CollectorRegistry()
    counter = Counter(DECISIONS, "Requests.", DECISION_LABELS, registry=registry)
    for number, one in enumerate(series):
        counter.labels(*label_values(one)).inc(number * 7 + 1)
    return registry


def _milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def main() -> None:
    """Print the median of each way, and its ratio to prometheus_client's."""
    series = _series()
    page = MetricsPage(_counts(series), CollectorRegistry())
    registry = _children(series)
    ways: dict[str, Callable[[], object]] = {
        "prometheus_client": lambda: generate_latest(registry),
        "/metrics": lambda: page.render("", "", ""),
        "/metrics, gzip": lambda: page.render("", "", "gzip"),
        f"/metrics?by=node, {NODES} nodes": lambda: page.render("by=node", "", ""),
    }
    first = _milliseconds(ways["/metrics"], rounds=1)
    taken = {name: _milliseconds(way) for name, way in ways.items()}
    print(f"{len(series):,} series, {NODES} nodes; the first page takes {first:.0f} ms")
    for name, milliseconds in taken.items():
        print(f"{name:>28} {milliseconds:7.1f} ms   {milliseconds / taken['prometheus_client']:.3f}")


if __name__ == "__main__":
    main()
