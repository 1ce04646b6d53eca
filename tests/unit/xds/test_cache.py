from __future__ import annotations

import pytest
from tests.model_node import cluster, replace, route

from crossgate.compiler.resource import ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES


def test_replacing_tells_only_the_differences() -> None:
    cache = Cache()
    heard: list[tuple[ResourceKey, ...]] = []
    replace(cache, [cluster("same"), cluster("gone"), route("changed")])
    cache.watch(heard.append)
    changed = replace(cache, [cluster("same"), route("changed", "good 2"), route("new")])
    assert set(changed) == {(CLUSTER, "gone"), (SCOPED_ROUTES, "changed"), (SCOPED_ROUTES, "new")}
    assert heard == [changed]
    assert cache.versions().keys() == {
        (CLUSTER, "same"),
        (SCOPED_ROUTES, "changed"),
        (SCOPED_ROUTES, "new"),
    }


def test_nothing_new_is_not_told() -> None:
    cache = Cache()
    replace(cache, [cluster("a")])
    heard: list[tuple[ResourceKey, ...]] = []
    cache.watch(heard.append)
    assert cache.update({(CLUSTER, "a"): cluster("a"), (CLUSTER, "never there"): None}) == ()
    assert heard == []


def test_a_watcher_that_stopped_hears_nothing() -> None:
    cache = Cache()
    heard: list[tuple[ResourceKey, ...]] = []
    cache.watch(heard.append)()
    replace(cache, [cluster("a")])
    assert heard == []


def test_a_resource_is_filed_under_its_own_name() -> None:
    with pytest.raises(ValueError, match="names b"):
        Cache().update({(CLUSTER, "b"): cluster("a")})
