"""The control plane's own metrics: what it delivers, what nodes run, how its store and its Envoy do.

Most values are read when a client asks for them, from its thread: from numbers and from copies. Durations are
observed when they happen. docs/reference/telemetry.md describes each metric.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from crossgate import __version__
from crossgate.app.rollout import RevisionApplied, Rollout
from crossgate.dataplane.lifecycle_events import EnvoyExited, EnvoyReady, EnvoyStarted, LifecycleEvent
from crossgate.service.ports import CatalogueStore
from crossgate.store.store import DatabaseStore, StoreOperation
from crossgate.xds.ledger import Ledger, LedgerChange

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


class ControlPlaneMetrics(Collector):
    """Registers the metrics of one gateway; `close` ends its observations."""

    def __init__(
        self,
        registry: CollectorRegistry,
        ledger: Ledger,
        rollout: Rollout,
        store: CatalogueStore,
        envoy_version: str | None = None,
    ) -> None:
        """``envoy_version`` is that of the Envoy that this process started and that serves, if any."""
        # Prometheus 2 would keep the time of creation as a second metric for each series.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._ledger = ledger
        self._rollout = rollout
        self._store = store
        self._envoy_version = envoy_version
        self._envoy_serves = envoy_version is not None
        self._envoy_restarts = 0
        self._applied = Histogram(
            "crossgate_change_applied_seconds",
            "Time from the commit of a revision until a node has applied it.",
            ["node"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._stop_observing = [rollout.watch_applied(self._on_applied), ledger.watch(self._on_ledger_change)]
        if isinstance(store, DatabaseStore):
            self._operations = Histogram(
                "crossgate_store_operation_seconds",
                "Duration of transactions that succeeded.",
                ["operation"],
                buckets=BUCKETS,
                registry=registry,
            )
            self._failures = Counter(
                "crossgate_store_failures",
                "Transactions that failed because of the database.",
                ["operation"],
                registry=registry,
            )
            for operation in ("commit", "read", "write"):
                self._operations.labels(operation)
                self._failures.labels(operation)
            self._stop_observing.append(store.watch_operations(self._on_store_operation))
        ProcessCollector(registry=registry)
        registry.register(self)

    def close(self) -> None:
        """Observe nothing more."""
        for stop in self._stop_observing:
            stop()

    def on_node_change(self, event: LifecycleEvent) -> None:
        """Note a change of this machine's Envoy."""
        match event:
            case EnvoyStarted():
                self._envoy_restarts += 1
            case EnvoyReady():
                self._envoy_serves = True
            case EnvoyExited():
                self._envoy_serves = False
            case _:
                pass

    def collect(self) -> Iterator[Metric]:
        """The values at this moment."""
        yield from self._catalogue()
        yield from self._deliveries()
        yield from self._nodes()
        versions = {"version": __version__, "python": platform.python_version()}
        if self._envoy_version is not None:
            versions["envoy"] = self._envoy_version
            yield CounterMetricFamily(
                "crossgate_envoy_restarts",
                "Starts of this machine's Envoy after the first.",
                self._envoy_restarts,
            )
            yield GaugeMetricFamily(
                "crossgate_envoy_serving",
                "1 if this machine's Envoy serves, otherwise 0.",
                self._envoy_serves,
            )
        yield InfoMetricFamily("crossgate_build", "Versions of the programs.", versions)

    def _catalogue(self) -> Iterator[Metric]:
        head = self._store.head
        yield GaugeMetricFamily("crossgate_revision", "The newest revision.", head.revision)
        yield GaugeMetricFamily("crossgate_apis", "APIs in the newest revision.", len(head.catalogue.apis))
        yield GaugeMetricFamily(
            "crossgate_applications",
            "Applications in the newest revision.",
            len(head.catalogue.applications),
        )
        if isinstance(self._store, DatabaseStore):
            yield GaugeMetricFamily(
                "crossgate_store_reachable",
                "1 if the database answers, otherwise 0.",
                self._store.reachable.is_set(),
            )

    def _deliveries(self) -> Iterator[Metric]:
        wanted = GaugeMetricFamily(
            "crossgate_xds_resources", "Envoy resources that each node should have.", labels=["type"]
        )
        sizes = self._ledger.cache.sizes()
        for type_url, count in sizes.items():
            wanted.add_metric([_type_name(type_url)], count)
        yield wanted
        counts = self._ledger.counts
        yield _by_type("crossgate_xds_pushes", "Resources and removals sent to nodes.", sizes, counts.sent)
        yield _by_type(
            "crossgate_xds_acknowledgements",
            "Resources and removals that nodes applied.",
            sizes,
            counts.applied,
        )
        yield _by_type(
            "crossgate_xds_rejections", "Resources and removals that nodes rejected.", sizes, counts.rejected
        )

    def _nodes(self) -> Iterator[Metric]:
        connected: dict[str, int] = {}
        for session in tuple(self._ledger.sessions):
            rejected = len(self._ledger.rejected_by(session))
            connected[session.node] = connected.get(session.node, 0) + rejected
        yield GaugeMetricFamily("crossgate_nodes", "Nodes that are connected.", len(connected))
        rejected_now = GaugeMetricFamily(
            "crossgate_node_rejected_resources",
            "Resources that the node rejects at present.",
            labels=["node"],
        )
        revision = GaugeMetricFamily(
            "crossgate_node_revision", "The newest revision that the node decided on.", labels=["node"]
        )
        behind = GaugeMetricFamily(
            "crossgate_node_revisions_behind",
            "Published revisions that the node has not decided on; 1 or more before its first decision.",
            labels=["node"],
        )
        published, decided = self._rollout.published, self._rollout.node_revisions
        for node, rejected in connected.items():
            rejected_now.add_metric([node], rejected)
            reached = decided.get(node)
            if reached is None:
                behind.add_metric([node], max(1, published))
            else:
                revision.add_metric([node], reached)
                behind.add_metric([node], max(0, published - reached))
        yield from (rejected_now, revision, behind)
        yield from self._certificates(connected)

    def _certificates(self, nodes: Iterable[str]) -> Iterator[Metric]:
        labels = ["node", "certificate"]
        expiry = GaugeMetricFamily(
            "crossgate_certificate_expiry_timestamp_seconds",
            "When the certificate that Envoy has expires, as Unix time.",
            labels=labels,
        )
        problems = GaugeMetricFamily(
            "crossgate_certificate_problems",
            "What is wrong with the files of a certificate: expired, unusable, readable by all.",
            labels=labels,
        )
        for node in nodes:
            # Two pairs may have one certificate and two keys.
            states = {one.certificate: one for one in self._rollout.certificates.of(node)}
            for path, state in states.items():
                problems.add_metric([node, path], len(state.problems))
                if state.not_after is not None:
                    expiry.add_metric([node, path], state.not_after.timestamp())
        yield from (expiry, problems)

    def _on_applied(self, event: RevisionApplied) -> None:
        self._applied.labels(event.node).observe(event.seconds)

    def _on_ledger_change(self, change: LedgerChange) -> None:
        """Drop the durations of a node that is gone: nodes come and go with new names."""
        node = change.session.node
        if change.keys is None and all(one.node != node for one in self._ledger.sessions):
            self._applied.remove(node)

    def _on_store_operation(self, event: StoreOperation) -> None:
        if event.failed:
            self._failures.labels(event.kind).inc()
        else:
            self._operations.labels(event.kind).observe(event.seconds)


def _by_type(name: str, text: str, types: Iterable[str], counts: Mapping[str, int]) -> CounterMetricFamily:
    """The counts of each type; 0 where nothing happened yet, so that rates begin there."""
    family = CounterMetricFamily(name, text, labels=["type"])
    for type_url, count in (dict.fromkeys(types, 0) | dict(counts)).items():
        family.add_metric([_type_name(type_url)], count)
    return family


def _type_name(type_url: str) -> str:
    return type_url.rpartition(".")[2]
