"""What a rollout reports of its nodes."""

from __future__ import annotations

from collections import UserDict
from collections.abc import ValuesView
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from tests.catalogues import api

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
