"""The APIs that a message about a resource names."""

from __future__ import annotations

import pytest
from tests.catalogues import api_with_policy as api
from tests.catalogues import catalogue

from crossgate.catalogue.model import NativeService
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.names import affected_apis, used_by
from crossgate.compiler.resource import CLUSTER, LISTENER, SCOPED_ROUTE_CONFIGURATION, ResourceKey

DECLARED = catalogue(
    [
        api("shop", endpoints=("/shop/v1", "/gateway/shop/1")),
        api("cafe", endpoints=("/shop/cafe",), native=NativeService("https", "cafe.example.com", 443)),
        api("pets", native=NativeService("http", "127.0.0.1", 9000, "/v2")),
    ]
)


@pytest.mark.parametrize(
    ("key", "apis"),
    [
        ((CLUSTER, "native/http/127.0.0.1:9000"), ("pets/1", "shop/1")),
        ((CLUSTER, "native/https/cafe.example.com:443"), ("cafe/1",)),
        ((SCOPED_ROUTE_CONFIGURATION, "-/shop"), ("cafe/1", "shop/1")),
        ((SCOPED_ROUTE_CONFIGURATION, "shop/1"), ("shop/1",)),
        ((LISTENER, "gateway"), ()),
    ],
)
def test_a_resource_is_mapped_to_its_apis(key: ResourceKey, apis: tuple[str, ...]) -> None:
    assert key in Compilation().advance(DECLARED, "/ca.pem")[0].resources
    assert affected_apis(key, DECLARED.apis) == apis


@pytest.mark.parametrize(
    ("count", "suffix"),
    [
        (0, ""),
        (1, ", used by a0/1"),
        (3, ", used by a0/1, a1/1, a2/1"),
        (2004, ", used by a0/1, a1/1, a2/1, 2,001 more"),
    ],
)
def test_the_first_of_many_are_named(count: int, suffix: str) -> None:
    assert used_by([f"a{number}/1" for number in range(count)]) == suffix
