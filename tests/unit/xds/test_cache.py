from __future__ import annotations

import pytest
from tests.model_node import cluster, replace, route

from crossgate.compiler.resource import ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES


def test_an_update_reports_only_the_differences() -> None:
    cache = Cache()
    observed: list[tuple[ResourceKey, ...]] = []
    replace(cache, [cluster("same"), cluster("gone"), route("changed")])
    cache.watch(observed.append)
    changed = replace(cache, [cluster("same"), route("changed", "good 2"), route("new")])
    assert set(changed) == {(CLUSTER, "gone"), (SCOPED_ROUTES, "changed"), (SCOPED_ROUTES, "new")}
    assert observed == [changed]
    assert cache.versions().keys() == {
        (CLUSTER, "same"),
        (SCOPED_ROUTES, "changed"),
        (SCOPED_ROUTES, "new"),
    }


def test_an_update_without_differences_is_not_reported() -> None:
    cache = Cache()
    replace(cache, [cluster("a")])
    observed: list[tuple[ResourceKey, ...]] = []
    cache.watch(observed.append)
    assert cache.update({(CLUSTER, "a"): cluster("a"), (CLUSTER, "never there"): None}) == ()
    assert observed == []


def test_an_observer_that_stopped_gets_nothing() -> None:
    cache = Cache()
    observed: list[tuple[ResourceKey, ...]] = []
    cache.watch(observed.append)()
    replace(cache, [cluster("a")])
    assert observed == []


def test_the_key_of_a_resource_has_its_name() -> None:
    with pytest.raises(ValueError, match="names b"):
        Cache().update({(CLUSTER, "b"): cluster("a")})


def test_sizes_by_type() -> None:
    cache = Cache()
    replace(cache, [cluster("a"), cluster("b"), route("c")])
    assert cache.sizes() == {CLUSTER: 2, SCOPED_ROUTES: 1}
    replace(cache, [cluster("a")])
    assert cache.sizes() == {CLUSTER: 1, SCOPED_ROUTES: 0}
