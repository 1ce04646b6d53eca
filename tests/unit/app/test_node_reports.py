"""What a rollout reports of its nodes."""

from __future__ import annotations

from collections import UserDict
from collections.abc import ValuesView
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from tests.catalogues import api

from crossgate.app.published_versions import PublishedVersions
from crossgate.app.rollout import Rollout
from crossgate.catalogue.model import Api
from crossgate.compiler.names import cluster_name
from crossgate.compiler.resource import CLUSTER
from crossgate.xds.ledger import NodeState, Rejection


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
