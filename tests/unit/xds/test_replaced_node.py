"""What reaches the stream of a node whose place another one takes."""

from __future__ import annotations

from tests.model_node import cluster, replace

from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.compiler.resource import Resource
from crossgate.xds.cache import Cache
from crossgate.xds.messages import DiscoveryRequest
from crossgate.xds.replaced_node import MOST_WAITING, ReplacedNode
from crossgate.xds.resource_types import CLUSTER, LISTENER

WANTED = Resource.of(*CLIENT_LISTENER, b"wanted")
CLUSTERS = DiscoveryRequest(CLUSTER, subscribe=("*",))
KEY = (CLUSTER, "a")


def cache() -> Cache:
    cache = Cache()
    replace(cache, [cluster("a"), WANTED])
    return cache


def listeners(version: str) -> DiscoveryRequest:
    return DiscoveryRequest(LISTENER, subscribe=("*",), held={CLIENT_LISTENER[1]: version})


def test_with_the_wanted_listener_it_follows_changes() -> None:
    node = ReplacedNode(cache(), connecting=True)
    assert node.requests(CLUSTERS) == ()
    assert node.changes((KEY,)) == ()
    request = listeners(WANTED.version)
    assert node.requests(request) == [CLUSTERS, request]
    assert node.changes((KEY,)) == (KEY,)
    answer = DiscoveryRequest(CLUSTER, nonce="1")
    assert node.requests(answer) == (answer,)


def test_with_another_listener_it_keeps_what_it_has() -> None:
    node = ReplacedNode(cache(), connecting=True)
    node.requests(CLUSTERS)
    assert node.requests(listeners("other")) == ()
    assert node.requests(DiscoveryRequest(CLUSTER, nonce="1")) == ()
    assert node.changes((KEY,)) == ()


def test_a_node_that_never_names_its_listener_is_not_waited_for() -> None:
    node = ReplacedNode(cache(), connecting=True)
    for _ in range(MOST_WAITING + 1):
        assert node.requests(CLUSTERS) == ()
    assert node.requests(listeners(WANTED.version)) == ()
    assert node.changes((KEY,)) == ()


def test_when_the_listener_changes_it_receives_nothing_more() -> None:
    node = ReplacedNode(cache(), connecting=False)
    assert node.changes((KEY,)) == (KEY,)
    assert node.changes((KEY, CLIENT_LISTENER)) == ()
    assert node.changes((KEY,)) == ()
