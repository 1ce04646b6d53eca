"""The control plane's own metrics, of a real ledger, rollout and store."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from tests.catalogues import api, application, catalogue
from tests.metric_names import documented
from tests.model_node import cluster, replace

from crossgate.app.control_plane_metrics import ControlPlaneMetrics
from crossgate.app.events import Event
from crossgate.app.rollout import Rollout
from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.lifecycle_events import EnvoyExited, EnvoyReady, EnvoyStarted
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.errors import StoreUnavailable
from crossgate.service.file_store import FileStore
from crossgate.service.ports import CatalogueStore
from crossgate.service.snapshot import Snapshot
from crossgate.store import SqliteDirectory, open_store
from crossgate.telemetry.decision_counts import DecisionCounts
from crossgate.telemetry.metrics import MetricsPage
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Connection, Ledger
from crossgate.xds.messages import DiscoveryResponse, ResourceRejected, ResourcesApplied
from crossgate.xds.resource_types import CLUSTER


class Publisher:
    """Publishes one cluster, whose text is the number of APIs."""

    undistributed = ((CLUSTER, "c"),)

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._compiled = Catalogue()

    def compile(self, published: Catalogue) -> None:
        self._compiled = published

    def distribute(self) -> dict[tuple[str, str], str | None]:
        resource = cluster("c", f"good {len(self._compiled.apis)}")
        replace(self._cache, [resource])
        return {(CLUSTER, "c"): resource.version}


class Setting:
    """A ledger, a rollout and their metrics."""

    def __init__(self, store: CatalogueStore | None = None, envoy_version: str | None = None) -> None:
        self.ledger = Ledger(Cache())
        self.store = store or FileStore("test", Catalogue())
        events: list[Event] = []
        control_plane = SimpleNamespace(ledger=self.ledger)
        publisher = Publisher(self.ledger.cache)
        self.rollout = Rollout(*cast("Any", (control_plane, publisher, self.store, events.append)))
        self.registry = CollectorRegistry()
        self.metrics = ControlPlaneMetrics(
            self.registry, self.ledger, self.rollout, self.store, envoy_version
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def publish(self, revision: int, apis: int) -> str:
        head = Snapshot.of(revision, catalogue([api(f"a{number}") for number in range(apis)]))
        self.rollout.publish(head, 0.0)
        version = self.ledger.cache.version((CLUSTER, "c"))
        assert version is not None
        return version

    def answer(self, session: Connection, version: str, *, rejects: bool = False) -> None:
        effect = ResourceRejected(CLUSTER, "c", version, "bad") if rejects else _applied(version)
        self.ledger.record(session, effect)


def _applied(version: str) -> ResourcesApplied:
    return ResourcesApplied(CLUSTER, (("c", version),))


def test_deliveries_are_counted_by_type() -> None:
    setting = Setting()
    session = setting.ledger.connect("a")
    resource = cluster("c")
    replace(setting.ledger.cache, [resource])
    setting.ledger.record(session, DiscoveryResponse(CLUSTER, "1", (resource,), ("gone",)))
    setting.answer(session, resource.version)
    setting.answer(session, "2", rejects=True)
    setting.ledger.disconnect(session)
    assert setting.value("crossgate_xds_resources", type="Cluster") == 1
    assert setting.value("crossgate_xds_pushes_total", type="Cluster") == 2
    assert setting.value("crossgate_xds_acknowledgements_total", type="Cluster") == 1
    assert setting.value("crossgate_xds_rejections_total", type="Cluster") == 1


def test_each_node_has_its_revision_and_how_far_it_is_behind() -> None:
    async def run() -> None:
        setting = Setting()
        following = asyncio.create_task(setting.rollout.follow_nodes())
        await asyncio.sleep(0)
        fast, slow = setting.ledger.connect("fast"), setting.ledger.connect("slow")
        await asyncio.sleep(0)
        first = setting.publish(1, 1)
        await asyncio.sleep(0)
        setting.answer(fast, first)
        setting.answer(slow, first)
        await asyncio.sleep(0.01)
        second = setting.publish(2, 2)
        await asyncio.sleep(0)
        setting.answer(fast, second)
        setting.answer(slow, second, rejects=True)
        await asyncio.sleep(0.01)
        assert setting.value("crossgate_nodes") == 2
        assert setting.value("crossgate_node_revision", node="fast") == 2
        assert setting.value("crossgate_node_revisions_behind", node="slow") == 0
        assert setting.value("crossgate_node_rejected_resources", node="slow") == 1
        assert setting.value("crossgate_node_rejected_resources", node="fast") == 0
        third = setting.publish(3, 3)
        await asyncio.sleep(0)
        setting.answer(fast, third)
        assert setting.value("crossgate_node_revisions_behind", node="slow") == 1
        # Only what a node applied: a rejection is not a fast change.
        name = "crossgate_change_applied_seconds_count"
        assert setting.value(name, node="fast") == 3
        assert setting.value(name, node="slow") == 1
        setting.ledger.disconnect(slow)
        assert setting.value(name, node="slow") is None
        assert setting.value("crossgate_node_revision", node="slow") is None
        assert setting.value("crossgate_nodes") == 1
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(run())


def test_a_new_node_is_behind_until_it_has_everything() -> None:
    setting = Setting()
    replace(setting.ledger.cache, [cluster("c")])
    setting.ledger.connect("new")
    assert setting.value("crossgate_node_revisions_behind", node="new") == 1
    assert setting.value("crossgate_node_revision", node="new") is None


def test_sizes_of_the_catalogue() -> None:
    served = catalogue([api("pets"), api("shop")], [application("web", apis=["pets/1.0"])])
    setting = Setting(FileStore("test", served))
    assert setting.value("crossgate_apis") == 2
    assert setting.value("crossgate_applications") == 1
    assert setting.value("crossgate_store_reachable") is None


def test_transactions_of_the_store(tmp_path: Path) -> None:
    with open_store(SqliteDirectory(tmp_path)) as store:
        setting = Setting(store.catalogue)
        CatalogueService(store.catalogue).change([ReplaceAll(catalogue([api("pets")]))], author="ann")
        store.tokens.tokens()
        assert setting.value("crossgate_revision") == 1
        count = "crossgate_store_operation_seconds_count"
        assert setting.value(count, operation="commit") == 1
        assert setting.value(count, operation="read") == 1
        assert setting.value(count, operation="write") == 0
        store.catalogue.reachable.clear()
        with pytest.raises(StoreUnavailable):
            store.tokens.tokens()
        assert setting.value("crossgate_store_reachable") == 0
        assert setting.value("crossgate_store_failures_total", operation="read") == 1
        assert setting.value(count, operation="read") == 1
        setting.metrics.close()
        store.catalogue.reachable.set()
        store.tokens.tokens()
        assert setting.value(count, operation="read") == 1


def test_every_metric_is_documented(tmp_path: Path) -> None:
    with open_store(SqliteDirectory(tmp_path)) as store:
        setting = Setting(store.catalogue, "1.40.0")
        setting.ledger.connect("a")
        page = MetricsPage(DecisionCounts("here", {}), setting.registry).render("", "", "")[2].decode()
        families = re.findall("^# TYPE ([a-z_]+) ", page, re.MULTILINE)
        assert set(families) - documented() == set()


def test_restarts_of_envoy() -> None:
    setting = Setting(envoy_version="1.40.0")
    assert setting.value("crossgate_envoy_serving") == 1
    assert setting.value("crossgate_envoy_restarts_total") == 0
    setting.metrics.on_node_change(EnvoyExited("was killed", ()))
    assert setting.value("crossgate_envoy_serving") == 0
    setting.metrics.on_node_change(EnvoyStarted(7))
    setting.metrics.on_node_change(EnvoyReady(7, 0.1))
    assert setting.value("crossgate_envoy_serving") == 1
    assert setting.value("crossgate_envoy_restarts_total") == 1


def test_without_an_envoy_of_this_machine() -> None:
    setting = Setting()
    assert setting.value("crossgate_envoy_serving") is None
    assert setting.value("crossgate_envoy_restarts_total") is None


def test_build_and_process() -> None:
    setting = Setting(envoy_version="1.40.0")
    build = next(one for one in setting.registry.collect() if one.name == "crossgate_build")
    assert build.samples[0].labels.keys() == {"version", "python", "envoy"}
    resident = setting.value("process_resident_memory_bytes")
    assert resident is not None
    assert resident > 0
