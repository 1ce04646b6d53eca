"""What a rollout reports of its nodes."""

from __future__ import annotations

import asyncio
from collections import UserDict
from collections.abc import ValuesView
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.catalogues import api, catalogue, policy

from crossgate.app.published_versions import PublishedVersions
from crossgate.app.rollout import Rollout
from crossgate.catalogue.model import Api, Catalogue
from crossgate.compiler.names import cluster_name
from crossgate.compiler.resource import CLUSTER, ResourceKey
from crossgate.net.address import UnixSocket
from crossgate.service.file_store import FileStore
from crossgate.service.ports import Enforcement
from crossgate.service.publisher import Publisher
from crossgate.service.snapshot import Snapshot
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Connection, NodeState, Rejection
from crossgate.xds.ledger import Ledger as XdsLedger
from crossgate.xds.messages import ResourceRejected, ResourcesApplied, SubscriptionChanged
from crossgate.xds.resource_types import SCOPED_ROUTES, WILDCARD_TYPES


class CountedApis(UserDict[str, Api]):
    """APIs that count how often all of them are read."""

    reads = 0

    def values(self) -> ValuesView[Api]:
        self.reads += 1
        return super().values()


@dataclass
class Ledger:
    """One node that rejected a cluster."""

    rejections: tuple[Rejection, ...] = field(
        default=(Rejection("a", (CLUSTER, cluster_name(api("pets").native)), "1", "bad", 0.0),)
    )

    def nodes(self) -> list[NodeState]:
        return [NodeState("a", 0.0, None, 1, 0, 1, self.rejections)]


def test_apis_of_a_rejection_are_searched_once_for_a_catalogue() -> None:
    apis = CountedApis({"pets/1.0": api("pets")})
    publisher = SimpleNamespace(catalogue=SimpleNamespace(apis=apis))
    control_plane = SimpleNamespace(ledger=Ledger())
    rollout = Rollout(*cast("Any", (control_plane, publisher, None, None)))

    shown = [rollout.reports()[0].rejections[0].apis for _ in range(3)]

    assert shown == [("pets/1.0",)] * 3
    assert apis.reads == 1

    publisher.catalogue = SimpleNamespace(apis=CountedApis({"new/1.0": api("new")}))
    assert rollout.reports()[0].rejections[0].apis == ("new/1.0",)


def test_a_rejection_names_the_revisions_of_the_rejected_and_the_kept_version() -> None:
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    key = (CLUSTER, "a")
    published = PublishedVersions()
    published.begin(144, at)
    assert published.revision_of(key, "v1") is None
    published.add(147, at + timedelta(minutes=1), {key: "v1"}, {key: "v2"})
    published.add(148, at + timedelta(minutes=2), {key: "v2"}, {key: "v3"})
    assert published.revision_of(key, "v2") == 147
    assert (published.last_with(key, "v1"), published.last_with(key, "v2")) == (146, 147)
    assert published.last_with(key, "v3") is None
    assert published.last_with(key, "unknown") is None
    assert published.behind_since(146) == at + timedelta(minutes=1)
    assert published.behind_since(148) is None
    published.add(149, at, {}, {key: "v1"})
    assert (published.revision_of(key, "v1"), published.last_with(key, "v1")) == (149, 146)


class Gateway:
    """A rollout of real resources to connections whose answers a test records."""

    def __init__(self) -> None:
        self.ledger = XdsLedger(Cache())
        self.publisher = Publisher(self.ledger.cache, "/ca.pem")
        control_plane = SimpleNamespace(ledger=self.ledger, address=UnixSocket(Path("/xds.sock")))
        self.store = FileStore("test", Catalogue())
        self.rollout = Rollout(*cast("Any", (control_plane, self.publisher, self.store, lambda _: None)))
        self.changes = 0
        self.rollout.watch(self._count)

    def _count(self) -> None:
        self.changes += 1

    def publish(self, revision: int, *origins: str) -> None:
        pets = api("pets", cors=policy(*origins))
        self.rollout.publish(Snapshot.of(revision, catalogue([pets, api("shop")])), 0.0)

    def connect(self, node: str) -> Connection:
        connection = self.ledger.connect(node)
        for type_url in WILDCARD_TYPES | {SCOPED_ROUTES}:
            self.ledger.record(connection, SubscriptionChanged(type_url, added=("*",)))
        return connection

    def apply(self, connection: Connection, *, but: ResourceKey | None = None) -> None:
        for key, version in self.ledger.cache.versions().items():
            if key != but and connection.version(key) != version:
                self.ledger.record(connection, ResourcesApplied(key[0], ((key[1], version),)))

    def reject(self, connection: Connection, key: ResourceKey) -> None:
        version = self.ledger.cache.version(key)
        self.ledger.record(connection, ResourceRejected(key[0], key[1], version, "too large"))


PETS = (SCOPED_ROUTES, "pets/1.0")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_node_that_rejects_and_one_that_lags() -> None:
    async def test() -> None:
        gateway = Gateway()
        await gateway.rollout.publish_first()
        gateway.rollout.open_listener()
        follow = asyncio.create_task(gateway.rollout.follow_nodes())
        await settle()
        bad, slow = gateway.connect("bad"), gateway.connect("slow")
        gateway.publish(2, "https://a.example")
        for connection in (bad, slow):
            gateway.apply(connection)
        await settle()
        assert [one.state for one in gateway.rollout.reports()] == [Enforcement.ENFORCED] * 2
        assert [one.state(2) for one in gateway.rollout.standings()] == [Enforcement.ENFORCED] * 2

        before = gateway.changes
        gateway.publish(3, "https://b.example")
        gateway.reject(bad, PETS)
        gateway.apply(bad, but=PETS)
        await settle()
        assert gateway.changes > before
        rejecting, lagging = gateway.rollout.reports()
        assert rejecting.state is Enforcement.PARTLY
        (rejection,) = rejecting.rejections
        assert (rejection.apis, rejection.revision, rejection.keeps) == (("pets/1.0",), 3, 2)
        assert rejecting.undecided_apis == ()
        assert (lagging.state, lagging.revision) == (Enforcement.BEHIND, 2)
        assert lagging.undecided_apis == ("pets/1.0",)
        assert lagging.behind_since is not None
        assert [one.state(3) for one in gateway.rollout.standings()] == [
            Enforcement.PARTLY,
            Enforcement.BEHIND,
        ]

        # Rejected again, in another version: what it keeps is as old as before.
        gateway.publish(4, "https://c.example")
        gateway.reject(bad, PETS)
        gateway.apply(slow)
        await settle()
        rejecting, caught_up = gateway.rollout.reports()
        assert (rejecting.rejections[0].revision, rejecting.rejections[0].keeps) == (4, 2)
        assert (caught_up.state, caught_up.behind_since) == (Enforcement.ENFORCED, None)
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)

    asyncio.run(test())


def test_nodes_of_other_machines_need_an_address() -> None:
    assert Gateway().rollout.address == ""
