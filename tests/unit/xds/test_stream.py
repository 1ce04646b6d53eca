"""The stream machine, move by move; its laws are in tests/property/test_xds_stream.py."""

from __future__ import annotations

import pytest
from tests.model_node import cluster, replace, route

from crossgate.compiler.resource import Resource, ResourceKey
from crossgate.xds.cache import Cache
from crossgate.xds.messages import (
    DiscoveryRequest,
    DiscoveryResponse,
    Effect,
    ResourceRejected,
    ResourcesApplied,
    SubscriptionChanged,
)
from crossgate.xds.resource_types import CLUSTER, ENDPOINTS, LISTENER, SCOPED_ROUTES
from crossgate.xds.stream import Stream


class Peer:
    """A node at the other end of a stream: makes one move at a time and keeps the effects of the last one."""

    def __init__(self, *resources: Resource, longest: int = 100) -> None:
        self.cache = Cache()
        replace(self.cache, resources)
        self.stream = Stream(self.cache, longest=longest)
        self.effects: list[Effect] = []
        self.cache.watch(self._changed)

    def _changed(self, keys: tuple[ResourceKey, ...]) -> None:
        self.effects = self.stream.changed(keys)

    def put(self, *resources: Resource, remove: tuple[ResourceKey, ...] = ()) -> list[DiscoveryResponse]:
        self.effects = []
        changes: dict[ResourceKey, Resource | None] = {(item.type_url, item.name): item for item in resources}
        self.cache.update(changes | dict.fromkeys(remove))
        return self.sends

    def subscribe(
        self, type_url: str, *names: str, held: dict[str, str] | None = None
    ) -> list[DiscoveryResponse]:
        self.effects = self.stream.receive(DiscoveryRequest(type_url, subscribe=names, held=held or {}))
        return self.sends

    def unsubscribe(self, type_url: str, *names: str) -> list[DiscoveryResponse]:
        self.effects = self.stream.receive(DiscoveryRequest(type_url, unsubscribe=names))
        return self.sends

    def ack(self, send: DiscoveryResponse) -> list[DiscoveryResponse]:
        self.effects = self.stream.receive(DiscoveryRequest(send.type_url, nonce=send.nonce))
        return self.sends

    def nack(self, send: DiscoveryResponse, message: str = "no") -> list[DiscoveryResponse]:
        self.effects = self.stream.receive(DiscoveryRequest(send.type_url, nonce=send.nonce, error=message))
        return self.sends

    @property
    def sends(self) -> list[DiscoveryResponse]:
        return [effect for effect in self.effects if isinstance(effect, DiscoveryResponse)]

    @property
    def rejected(self) -> list[ResourceRejected]:
        return [effect for effect in self.effects if isinstance(effect, ResourceRejected)]


def names(send: DiscoveryResponse) -> list[str]:
    return [resource.name for resource in send.resources]


def test_a_subscription_to_everything_gets_everything() -> None:
    peer = Peer(cluster("a"), cluster("b"))
    [send] = peer.subscribe(CLUSTER)
    assert names(send) == ["a", "b"]
    assert SubscriptionChanged(CLUSTER, added=("*",)) in peer.effects


def test_all_routes_come_in_the_first_response_as_the_listener_opens_with_it() -> None:
    peer = Peer(route("a"), route("b"), route("c"), longest=2)
    [first] = peer.subscribe(SCOPED_ROUTES)
    assert names(first) == ["a", "b", "c"]
    peer.ack(first)
    [second] = peer.put(route("d"), route("e"), route("f"))
    assert names(second) == ["d", "e"]


def test_an_empty_subscription_to_everything_is_answered_at_once() -> None:
    peer = Peer()
    [send] = peer.subscribe(SCOPED_ROUTES)
    assert (send.resources, send.removed) == ((), ())
    assert peer.ack(send) == []


def test_an_empty_list_of_a_type_without_wildcard_is_just_empty() -> None:
    endpoints = Resource.of(ENDPOINTS, "a", b"good")
    assert Peer(endpoints).subscribe(ENDPOINTS) == []


def test_an_acknowledgement_is_reported_and_not_answered() -> None:
    peer = Peer(cluster("a"))
    [send] = peer.subscribe(CLUSTER)
    assert peer.ack(send) == []
    assert peer.effects == [ResourcesApplied(CLUSTER, (("a", cluster("a").version),))]


def test_one_change_sends_one_resource() -> None:
    peer = Peer(*(cluster(f"c{number}") for number in range(50)))
    peer.ack(peer.subscribe(CLUSTER)[0])
    [send] = peer.put(cluster("c7", "good new"))
    assert names(send) == ["c7"]


def test_equal_bytes_are_no_change() -> None:
    peer = Peer(cluster("a"))
    peer.ack(peer.subscribe(CLUSTER)[0])
    assert peer.put(cluster("a")) == []


def test_changes_coalesce_while_an_answer_is_awaited() -> None:
    peer = Peer(cluster("a"))
    [first] = peer.subscribe(CLUSTER)
    for number in range(5):
        assert peer.put(cluster("a", f"good {number}"), cluster("b", f"good {number}")) == []
    [second] = peer.ack(first)
    assert second.resources == (cluster("a", "good 4"), cluster("b", "good 4"))


def test_no_response_is_longer_than_the_limit() -> None:
    peer = Peer(*(cluster(f"c{number:03}") for number in range(250)))
    sizes = []
    sends = peer.subscribe(CLUSTER)
    while sends:
        [send] = sends
        sizes.append(len(send.resources))
        sends = peer.ack(send)
    assert sizes == [100, 100, 50]


def test_heavy_resources_travel_apart() -> None:
    peer = Peer(*(cluster(name, "good " + name * 5_000_000) for name in "ab"))
    [send] = peer.subscribe(CLUSTER)
    assert names(send) == ["a"]
    assert [names(send) for send in peer.ack(send)] == [["b"]]


@pytest.mark.parametrize("error", [None, "no"])
def test_a_stale_answer_changes_nothing(error: str | None) -> None:
    peer = Peer(cluster("a"))
    [send] = peer.subscribe(CLUSTER)
    assert peer.stream.receive(DiscoveryRequest(CLUSTER, nonce="0", error=error)) == []
    peer.ack(send)
    assert peer.stream.receive(DiscoveryRequest(CLUSTER, nonce=send.nonce, error=error)) == []


def test_a_removal_travels_by_name() -> None:
    peer = Peer(cluster("a"), cluster("b"))
    peer.ack(peer.subscribe(CLUSTER)[0])
    [send] = peer.put(remove=((CLUSTER, "a"),))
    assert (send.resources, send.removed) == ((), ("a",))
    peer.ack(send)
    assert peer.effects == [ResourcesApplied(CLUSTER, (("a", None),))]


def test_what_appears_and_goes_unsent_never_travels() -> None:
    peer = Peer(cluster("a"))
    [first] = peer.subscribe(CLUSTER)
    peer.put(cluster("b"))
    peer.put(remove=((CLUSTER, "b"),))
    assert peer.ack(first) == []


# --- rejections ---


def run(peer: Peer, sends: list[DiscoveryResponse]) -> list[list[str]]:
    """Answer as a node that rejects each response with a bad resource; returns the names in each response."""
    batches = []
    verdicts: list[Effect] = []
    while sends:
        [send] = sends
        batches.append(names(send))
        bad = [item.name for item in send.resources if item.body.startswith(b"bad")]
        sends = peer.nack(send, f"bad: {bad}") if bad else peer.ack(send)
        verdicts += peer.effects
    peer.effects = verdicts
    return batches


def test_a_rejected_batch_is_halved_until_the_bad_one_stands_alone() -> None:
    peer = Peer(*(route(f"r{number}", "bad" if number == 5 else "good") for number in range(8)))
    batches = run(peer, peer.subscribe(SCOPED_ROUTES))
    bad = route("r5", "bad")
    assert peer.rejected == [ResourceRejected(SCOPED_ROUTES, "r5", bad.version, "bad: ['r5']")]
    applied = {
        name for effect in peer.effects if isinstance(effect, ResourcesApplied) for name, _ in effect.versions
    }
    assert applied == {f"r{number}" for number in range(8)} - {"r5"}
    assert len(batches) <= 9


def test_a_rejected_resource_is_not_sent_again_until_its_version_changes() -> None:
    peer = Peer(route("a"), route("b"))
    peer.ack(peer.subscribe(SCOPED_ROUTES)[0])
    [send] = peer.put(route("a", "bad"))
    assert peer.nack(send, "why") == []
    assert peer.rejected == [ResourceRejected(SCOPED_ROUTES, "a", route("a", "bad").version, "why")]
    assert [names(send) for send in peer.put(route("b", "good 2"))] == [["b"]]
    peer.ack(DiscoveryResponse(SCOPED_ROUTES, "3"))
    assert [names(send) for send in peer.put(route("a", "good 3"))] == [["a"]]


def test_reverting_a_rejected_change_is_reported_and_sends_nothing() -> None:
    peer = Peer(route("a"))
    peer.ack(peer.subscribe(SCOPED_ROUTES)[0])
    [send] = peer.put(route("a", "bad"))
    peer.nack(send)
    assert peer.put(route("a")) == []
    assert peer.effects == [ResourcesApplied(SCOPED_ROUTES, (("a", route("a").version),))]


def test_resources_that_need_each_other_are_retried_together() -> None:
    peer = Peer(route("a"), route("b"))
    peer.ack(peer.subscribe(SCOPED_ROUTES)[0])
    # Two scopes exchange their keys, and the response in which they do is rejected because of another one.
    [send] = peer.put(route("a", "good key b"), route("b", "good key a"), route("c", "bad"))
    assert names(send) == ["a", "b", "c"]
    [both] = peer.nack(send, "c is bad")
    assert names(both) == ["a", "b"]
    [alone] = peer.nack(both, "as if they had been sent apart")
    [other] = peer.nack(alone, "a conflicts with b")
    [third] = peer.nack(other, "b conflicts with a")
    assert names(third) == ["c"]
    [again] = peer.nack(third, "c is bad")
    assert names(again) == ["a", "b", "c"]
    assert peer.rejected == []
    [both] = peer.nack(again, "c is bad")
    [third] = peer.ack(both)
    assert peer.nack(third, "c is bad") == []
    assert [rejected.name for rejected in peer.rejected] == ["c"]


def test_a_cluster_that_envoy_kept_of_a_rejected_response_is_removed_too() -> None:
    # Envoy keeps the good clusters of a response that it rejects.
    peer = Peer(cluster("a"), cluster("b", "bad"))
    [send] = peer.subscribe(CLUSTER)
    [half] = peer.nack(send)
    peer.put(remove=((CLUSTER, "a"), (CLUSTER, "b")))
    sent = []
    sends = peer.nack(half)
    while sends:
        sent += [name for send in sends for name in send.removed]
        sends = peer.ack(sends[0])
    assert sorted(sent) == ["a", "b"]


def test_subscribing_again_to_what_was_rejected_alone_sends_it_again() -> None:
    peer = Peer(cluster("a", "bad"), cluster("b"))
    [both] = peer.subscribe(CLUSTER)
    [first] = peer.nack(both)
    [second] = peer.nack(first)
    assert names(second) == ["b"]
    assert peer.subscribe(CLUSTER, "a") == []
    [again] = peer.ack(second)
    assert names(again) == ["a"]
    assert peer.ack(again) == []
    assert peer.effects == [ResourcesApplied(CLUSTER, (("a", cluster("a", "bad").version),))]


# --- subscriptions by name ---


def endpoints(name: str, text: str = "good") -> Resource:
    return Resource.of(ENDPOINTS, name, text.encode())


def test_a_rejected_resource_is_sent_again_on_request_and_reported_again() -> None:
    peer = Peer(cluster("a"), cluster("b"))
    (first,) = peer.subscribe(CLUSTER, "*")
    peer.ack(first)
    (second,) = peer.put(cluster("a", "bad"))
    assert not peer.stream.is_rejected((CLUSTER, "a"))
    peer.nack(second)
    assert peer.stream.is_rejected((CLUSTER, "a"))
    peer.effects = peer.stream.retry([(CLUSTER, "a")])
    (again,) = peer.sends
    assert [one.name for one in again.resources] == ["a"]
    assert not peer.stream.is_rejected((CLUSTER, "a"))
    peer.nack(again, "still")
    assert [one.message for one in peer.effects if isinstance(one, ResourceRejected)] == ["still"]
    peer.effects = peer.stream.retry([(CLUSTER, "a")])
    (last,) = peer.sends
    peer.ack(last)
    assert not peer.stream.is_rejected((CLUSTER, "a"))
    assert peer.put(cluster("a", "bad")) == []


def test_only_named_resources_are_sent_and_a_missing_one_is_removed() -> None:
    peer = Peer(endpoints("a"), endpoints("b"))
    [send] = peer.subscribe(ENDPOINTS, "a", "x")
    assert (names(send), send.removed) == (["a"], ("x",))
    peer.ack(send)
    assert peer.put(endpoints("b", "good 2")) == []
    [send] = peer.put(endpoints("x"))
    assert names(send) == ["x"]


def test_subscribing_again_sends_again() -> None:
    peer = Peer(endpoints("a"))
    peer.ack(peer.subscribe(ENDPOINTS, "a")[0])
    [send] = peer.subscribe(ENDPOINTS, "a")
    assert names(send) == ["a"]


def test_subscribing_again_while_an_answer_is_awaited_sends_again() -> None:
    peer = Peer(endpoints("a"))
    [send] = peer.subscribe(ENDPOINTS, "a")
    assert peer.subscribe(ENDPOINTS, "a") == []
    assert [names(send) for send in peer.ack(send)] == [["a"]]


def test_after_unsubscribing_nothing_is_sent() -> None:
    peer = Peer(endpoints("a"), endpoints("b"))
    peer.ack(peer.subscribe(ENDPOINTS, "a", "b")[0])
    assert peer.unsubscribe(ENDPOINTS, "a") == []
    assert peer.effects == [SubscriptionChanged(ENDPOINTS, dropped=("a",))]
    assert peer.put(endpoints("a", "good 2")) == []


def test_unsubscribing_from_everything_keeps_what_is_named() -> None:
    peer = Peer(cluster("a"), cluster("b"))
    peer.ack(peer.subscribe(CLUSTER, "*", "b")[0])
    assert peer.unsubscribe(CLUSTER, "*") == []
    assert peer.put(cluster("a", "good 2")) == []
    assert [names(send) for send in peer.put(cluster("b", "good 2"))] == [["b"]]


def test_unsubscribing_from_a_name_under_everything_is_answered() -> None:
    peer = Peer(cluster("a"))
    peer.ack(peer.subscribe(CLUSTER, "*", "a", "x")[0])
    [send] = peer.unsubscribe(CLUSTER, "a", "x")
    assert (names(send), send.removed) == (["a"], ("x",))


def test_nothing_waits_for_a_name_that_was_unsubscribed_while_in_flight() -> None:
    peer = Peer(cluster("a"))
    for type_url in (LISTENER, SCOPED_ROUTES):
        peer.ack(peer.subscribe(type_url)[0])
    [send] = peer.subscribe(CLUSTER)
    assert peer.unsubscribe(CLUSTER, "*") == []
    [routes] = peer.put(route("r", to="a"))
    assert names(routes) == ["r"]
    assert peer.ack(send) == []
    assert peer.effects == []


# --- reconnecting ---


def test_nothing_is_sent_to_a_node_that_has_everything() -> None:
    peer = Peer(cluster("a"), route("r"))
    assert peer.subscribe(CLUSTER, held={"a": cluster("a").version}) == []
    assert peer.subscribe(SCOPED_ROUTES, held={"r": route("r").version}) == []
    assert ResourcesApplied(SCOPED_ROUTES, (("r", route("r").version),)) in peer.effects


def test_only_differences_are_sent_removals_included() -> None:
    peer = Peer(route("same"), route("new"), route("changed"))
    held = {"same": route("same").version, "changed": "old", "gone": "old"}
    [send] = peer.subscribe(SCOPED_ROUTES, held=held)
    assert (names(send), send.removed) == (["changed", "new"], ("gone",))


def test_clusters_are_removed_only_after_the_resumed_routes_are_known() -> None:
    peer = Peer(cluster("new"), route("r", to="new"))
    [first] = peer.subscribe(CLUSTER, held={"old": "1"})
    assert (names(first), first.removed) == (["new"], ())
    assert peer.subscribe(SCOPED_ROUTES, held={"r": "names old"}) == []
    [routes] = peer.ack(first)
    assert names(routes) == ["r"]
    [removal] = peer.ack(routes)
    assert (removal.type_url, removal.removed) == (CLUSTER, ("old",))


def test_clusters_are_removed_even_if_nothing_else_changed() -> None:
    peer = Peer()
    [probe] = peer.subscribe(CLUSTER, held={"old": "1"})
    assert (probe.resources, probe.removed) == ((), ())
    [removal] = peer.ack(probe)
    assert removal.removed == ("old",)


def test_a_held_cluster_that_is_wanted_again_before_the_first_answer_stays() -> None:
    peer = Peer()
    [probe] = peer.subscribe(CLUSTER, held={"a": cluster("a").version})
    assert peer.put(cluster("a")) == []
    assert peer.effects == [ResourcesApplied(CLUSTER, (("a", cluster("a").version),))]
    assert peer.ack(probe) == []


# --- make before break ---


@pytest.fixture
def ready() -> Peer:
    """One API, all of it acknowledged."""
    peer = Peer(cluster("old"), route("r", to="old"), Resource.of(LISTENER, "l", b"good"))
    for type_url in (CLUSTER, LISTENER, SCOPED_ROUTES):
        peer.ack(peer.subscribe(type_url)[0])
    return peer


def test_a_cluster_precedes_and_outlives_its_routes(ready: Peer) -> None:
    [added] = ready.put(cluster("new"), route("r", to="new"), remove=((CLUSTER, "old"),))
    assert (names(added), added.removed) == (["new"], ())
    [routes] = ready.ack(added)
    assert (routes.type_url, names(routes)) == (SCOPED_ROUTES, ["r"])
    [removal] = ready.ack(routes)
    assert (removal.type_url, removal.removed) == (CLUSTER, ("old",))


def test_listeners_come_between_clusters_and_routes(ready: Peer) -> None:
    listener = Resource.of(LISTENER, "l", b"good 2")
    order = []
    sends = ready.put(route("r", "good 2", to="new"), listener, cluster("new"))
    while sends:
        [send] = sends
        order.append(send.type_url)
        sends = ready.ack(send)
    assert order == [CLUSTER, LISTENER, SCOPED_ROUTES]


def test_a_rejected_cluster_does_not_hold_its_routes_back(ready: Peer) -> None:
    [added] = ready.put(cluster("new", "bad"), route("r", to="new"))
    [routes] = ready.nack(added)
    assert names(routes) == ["r"]


def test_a_slow_cluster_does_not_hold_back_other_changes(ready: Peer) -> None:
    ready.put(cluster("slow"), route("s", to="slow"))
    [send] = ready.put(route("r", "good 2", to="old"))
    assert names(send) == ["r"]


def test_a_route_waits_for_the_cluster_that_an_earlier_change_brings(ready: Peer) -> None:
    [shared] = ready.put(cluster("shared"), route("first", to="shared"))
    # The next API in front of the same native service: its cluster is there for the cache, not for the node.
    assert ready.put(route("r", to="shared")) == []
    [other] = ready.put(route("other", to="old"))
    assert (names(other), ready.ack(other)) == (["other"], [])
    assert sorted(names(ready.ack(shared)[0])) == ["first", "r"]


def test_a_rejected_cluster_holds_back_no_route_of_a_later_change(ready: Peer) -> None:
    [shared] = ready.put(cluster("shared", "bad"), route("first", to="shared"))
    assert ready.put(route("r", to="shared")) == []
    [both] = ready.nack(shared)
    assert sorted(names(both)) == ["first", "r"]


def test_a_cluster_stays_while_a_rejected_route_leaves_its_user_serving(ready: Peer) -> None:
    [added] = ready.put(cluster("new"), route("r", "bad", to="new"), remove=((CLUSTER, "old"),))
    [routes] = ready.ack(added)
    assert ready.nack(routes) == []
    [fixed] = ready.put(route("r", to="new"))
    [removal] = ready.ack(fixed)
    assert removal.removed == ("old",)


def test_a_cluster_waits_for_the_routes_of_earlier_changes_too(ready: Peer) -> None:
    [slow] = ready.put(cluster("slow"), route("r", to="slow"))
    [other] = ready.put(route("other"), remove=((CLUSTER, "old"),))
    assert ready.ack(other) == []
    [last_user] = ready.ack(slow)
    assert names(last_user) == ["r"]
    [removal] = ready.ack(last_user)
    assert removal.removed == ("old",)


def test_a_reverted_change_in_flight_does_not_remove_the_cluster_too_early(ready: Peer) -> None:
    [added] = ready.put(cluster("new"), route("r", to="new"), remove=((CLUSTER, "old"),))
    [routes] = ready.ack(added)
    # The route to the new cluster is in flight; everything returns to the old one.
    assert ready.put(cluster("old"), route("r", to="old"), remove=((CLUSTER, "new"),)) == []
    [back] = ready.ack(routes)
    assert (names(back), back.removed) == (["r"], ())
    [removal] = ready.ack(back)
    assert removal.removed == ("new",)
