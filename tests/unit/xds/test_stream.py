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


class Talk:
    """A stream on a cache, and what the stream said to the last move."""

    def __init__(self, *resources: Resource, longest: int = 100) -> None:
        self.cache = Cache()
        replace(self.cache, resources)
        self.stream = Stream(self.cache, longest=longest)
        self.said: list[Effect] = []
        self.cache.watch(self._hear)

    def _hear(self, keys: tuple[ResourceKey, ...]) -> None:
        self.said = self.stream.changed(keys)

    def put(self, *resources: Resource, remove: tuple[ResourceKey, ...] = ()) -> list[DiscoveryResponse]:
        self.said = []
        changes: dict[ResourceKey, Resource | None] = {(item.type_url, item.name): item for item in resources}
        self.cache.update(changes | dict.fromkeys(remove))
        return self.sends

    def ask(self, kind: str, *names: str, held: dict[str, str] | None = None) -> list[DiscoveryResponse]:
        self.said = self.stream.receive(DiscoveryRequest(kind, subscribe=names, held=held or {}))
        return self.sends

    def unsubscribe(self, kind: str, *names: str) -> list[DiscoveryResponse]:
        self.said = self.stream.receive(DiscoveryRequest(kind, unsubscribe=names))
        return self.sends

    def ack(self, send: DiscoveryResponse) -> list[DiscoveryResponse]:
        self.said = self.stream.receive(DiscoveryRequest(send.type_url, nonce=send.nonce))
        return self.sends

    def nack(self, send: DiscoveryResponse, message: str = "no") -> list[DiscoveryResponse]:
        self.said = self.stream.receive(DiscoveryRequest(send.type_url, nonce=send.nonce, error=message))
        return self.sends

    @property
    def sends(self) -> list[DiscoveryResponse]:
        return [effect for effect in self.said if isinstance(effect, DiscoveryResponse)]

    @property
    def rejected(self) -> list[ResourceRejected]:
        return [effect for effect in self.said if isinstance(effect, ResourceRejected)]


def names(send: DiscoveryResponse) -> list[str]:
    return [resource.name for resource in send.resources]


def test_a_subscription_to_everything_gets_everything() -> None:
    talk = Talk(cluster("a"), cluster("b"))
    [send] = talk.ask(CLUSTER)
    assert names(send) == ["a", "b"]
    assert SubscriptionChanged(CLUSTER, added=("*",)) in talk.said


def test_all_routes_come_in_the_first_response_as_the_listener_opens_with_it() -> None:
    talk = Talk(route("a"), route("b"), route("c"), longest=2)
    [first] = talk.ask(SCOPED_ROUTES)
    assert names(first) == ["a", "b", "c"]
    talk.ack(first)
    [second] = talk.put(route("d"), route("e"), route("f"))
    assert names(second) == ["d", "e"]


def test_an_empty_subscription_to_everything_is_answered_at_once() -> None:
    talk = Talk()
    [send] = talk.ask(SCOPED_ROUTES)
    assert (send.resources, send.removed) == ((), ())
    assert talk.ack(send) == []


def test_an_empty_list_of_a_kind_that_is_asked_for_by_name_is_just_empty() -> None:
    endpoints = Resource.of(ENDPOINTS, "a", b"good")
    assert Talk(endpoints).ask(ENDPOINTS) == []


def test_an_acknowledgement_is_news_and_says_nothing_back() -> None:
    talk = Talk(cluster("a"))
    [send] = talk.ask(CLUSTER)
    assert talk.ack(send) == []
    assert talk.said == [ResourcesApplied(CLUSTER, (("a", cluster("a").version),))]


def test_one_change_sends_one_resource() -> None:
    talk = Talk(*(cluster(f"c{number}") for number in range(50)))
    talk.ack(talk.ask(CLUSTER)[0])
    [send] = talk.put(cluster("c7", "good new"))
    assert names(send) == ["c7"]


def test_equal_bytes_are_no_change() -> None:
    talk = Talk(cluster("a"))
    talk.ack(talk.ask(CLUSTER)[0])
    assert talk.put(cluster("a")) == []


def test_changes_coalesce_while_an_answer_is_awaited() -> None:
    talk = Talk(cluster("a"))
    [first] = talk.ask(CLUSTER)
    for number in range(5):
        assert talk.put(cluster("a", f"good {number}"), cluster("b", f"good {number}")) == []
    [second] = talk.ack(first)
    assert second.resources == (cluster("a", "good 4"), cluster("b", "good 4"))


def test_no_response_is_longer_than_the_limit() -> None:
    talk = Talk(*(cluster(f"c{number:03}") for number in range(250)))
    sizes = []
    sends = talk.ask(CLUSTER)
    while sends:
        [send] = sends
        sizes.append(len(send.resources))
        sends = talk.ack(send)
    assert sizes == [100, 100, 50]


def test_heavy_resources_travel_apart() -> None:
    talk = Talk(*(cluster(name, "good " + name * 5_000_000) for name in "ab"))
    [send] = talk.ask(CLUSTER)
    assert names(send) == ["a"]
    assert [names(send) for send in talk.ack(send)] == [["b"]]


@pytest.mark.parametrize("error", [None, "no"])
def test_a_stale_answer_changes_nothing(error: str | None) -> None:
    talk = Talk(cluster("a"))
    [send] = talk.ask(CLUSTER)
    assert talk.stream.receive(DiscoveryRequest(CLUSTER, nonce="0", error=error)) == []
    talk.ack(send)
    assert talk.stream.receive(DiscoveryRequest(CLUSTER, nonce=send.nonce, error=error)) == []


def test_a_removal_travels_by_name() -> None:
    talk = Talk(cluster("a"), cluster("b"))
    talk.ack(talk.ask(CLUSTER)[0])
    [send] = talk.put(remove=((CLUSTER, "a"),))
    assert (send.resources, send.removed) == ((), ("a",))
    talk.ack(send)
    assert talk.said == [ResourcesApplied(CLUSTER, (("a", None),))]


def test_what_appears_and_goes_unsent_never_travels() -> None:
    talk = Talk(cluster("a"))
    [first] = talk.ask(CLUSTER)
    talk.put(cluster("b"))
    talk.put(remove=((CLUSTER, "b"),))
    assert talk.ack(first) == []


# --- refusals ---


def run(talk: Talk, sends: list[DiscoveryResponse]) -> list[list[str]]:
    """Answer like a node that refuses every response with a bad resource; returns what was sent."""
    batches = []
    verdicts: list[Effect] = []
    while sends:
        [send] = sends
        batches.append(names(send))
        bad = [item.name for item in send.resources if item.body.startswith(b"bad")]
        sends = talk.nack(send, f"bad: {bad}") if bad else talk.ack(send)
        verdicts += talk.said
    talk.said = verdicts
    return batches


def test_a_refused_batch_is_halved_until_the_bad_one_stands_alone() -> None:
    talk = Talk(*(route(f"r{number}", "bad" if number == 5 else "good") for number in range(8)))
    batches = run(talk, talk.ask(SCOPED_ROUTES))
    bad = route("r5", "bad")
    assert talk.rejected == [ResourceRejected(SCOPED_ROUTES, "r5", bad.version, "bad: ['r5']")]
    applied = {
        name for effect in talk.said if isinstance(effect, ResourcesApplied) for name, _ in effect.versions
    }
    assert applied == {f"r{number}" for number in range(8)} - {"r5"}
    assert len(batches) <= 9


def test_a_refused_resource_is_not_sent_again_until_its_version_changes() -> None:
    talk = Talk(route("a"), route("b"))
    talk.ack(talk.ask(SCOPED_ROUTES)[0])
    [send] = talk.put(route("a", "bad"))
    assert talk.nack(send, "why") == []
    assert talk.rejected == [ResourceRejected(SCOPED_ROUTES, "a", route("a", "bad").version, "why")]
    assert [names(send) for send in talk.put(route("b", "good 2"))] == [["b"]]
    talk.ack(DiscoveryResponse(SCOPED_ROUTES, "3"))
    assert [names(send) for send in talk.put(route("a", "good 3"))] == [["a"]]


def test_taking_a_refused_change_back_is_news_and_sends_nothing() -> None:
    talk = Talk(route("a"))
    talk.ack(talk.ask(SCOPED_ROUTES)[0])
    [send] = talk.put(route("a", "bad"))
    talk.nack(send)
    assert talk.put(route("a")) == []
    assert talk.said == [ResourcesApplied(SCOPED_ROUTES, (("a", route("a").version),))]


def test_resources_that_need_each_other_get_a_second_chance_together() -> None:
    talk = Talk(route("a"), route("b"))
    talk.ack(talk.ask(SCOPED_ROUTES)[0])
    # Two scopes exchange their keys, and the response in which they do is refused for another one's sake.
    [send] = talk.put(route("a", "good key b"), route("b", "good key a"), route("c", "bad"))
    assert names(send) == ["a", "b", "c"]
    [both] = talk.nack(send, "c is bad")
    assert names(both) == ["a", "b"]
    [alone] = talk.nack(both, "as if they had been sent apart")
    [other] = talk.nack(alone, "a conflicts with b")
    [third] = talk.nack(other, "b conflicts with a")
    assert names(third) == ["c"]
    [again] = talk.nack(third, "c is bad")
    assert names(again) == ["a", "b", "c"]
    assert talk.rejected == []
    [both] = talk.nack(again, "c is bad")
    [third] = talk.ack(both)
    assert talk.nack(third, "c is bad") == []
    assert [rejected.name for rejected in talk.rejected] == ["c"]


def test_a_cluster_kept_out_of_a_refused_response_is_removed_too() -> None:
    # Envoy keeps the good clusters of a response that it refuses.
    talk = Talk(cluster("a"), cluster("b", "bad"))
    [send] = talk.ask(CLUSTER)
    [half] = talk.nack(send)
    talk.put(remove=((CLUSTER, "a"), (CLUSTER, "b")))
    sent = []
    sends = talk.nack(half)
    while sends:
        sent += [name for send in sends for name in send.removed]
        sends = talk.ack(sends[0])
    assert sorted(sent) == ["a", "b"]


def test_asking_again_for_what_was_rejected_alone_starts_its_delivery_anew() -> None:
    talk = Talk(cluster("a", "bad"), cluster("b"))
    [both] = talk.ask(CLUSTER)
    [first] = talk.nack(both)
    [second] = talk.nack(first)
    assert names(second) == ["b"]
    assert talk.ask(CLUSTER, "a") == []
    [again] = talk.ack(second)
    assert names(again) == ["a"]
    assert talk.ack(again) == []
    assert talk.said == [ResourcesApplied(CLUSTER, (("a", cluster("a", "bad").version),))]


# --- subscriptions by name ---


def endpoints(name: str, text: str = "good") -> Resource:
    return Resource.of(ENDPOINTS, name, text.encode())


def test_only_named_resources_travel_and_a_missing_one_is_denied() -> None:
    talk = Talk(endpoints("a"), endpoints("b"))
    [send] = talk.ask(ENDPOINTS, "a", "x")
    assert (names(send), send.removed) == (["a"], ("x",))
    talk.ack(send)
    assert talk.put(endpoints("b", "good 2")) == []
    [send] = talk.put(endpoints("x"))
    assert names(send) == ["x"]


def test_asking_again_sends_again() -> None:
    talk = Talk(endpoints("a"))
    talk.ack(talk.ask(ENDPOINTS, "a")[0])
    [send] = talk.ask(ENDPOINTS, "a")
    assert names(send) == ["a"]


def test_asking_again_while_an_answer_is_awaited_sends_again() -> None:
    talk = Talk(endpoints("a"))
    [send] = talk.ask(ENDPOINTS, "a")
    assert talk.ask(ENDPOINTS, "a") == []
    assert [names(send) for send in talk.ack(send)] == [["a"]]


def test_what_is_no_longer_followed_no_longer_travels() -> None:
    talk = Talk(endpoints("a"), endpoints("b"))
    talk.ack(talk.ask(ENDPOINTS, "a", "b")[0])
    assert talk.unsubscribe(ENDPOINTS, "a") == []
    assert talk.said == [SubscriptionChanged(ENDPOINTS, dropped=("a",))]
    assert talk.put(endpoints("a", "good 2")) == []


def test_dropping_everything_keeps_what_is_named() -> None:
    talk = Talk(cluster("a"), cluster("b"))
    talk.ack(talk.ask(CLUSTER, "*", "b")[0])
    assert talk.unsubscribe(CLUSTER, "*") == []
    assert talk.put(cluster("a", "good 2")) == []
    assert [names(send) for send in talk.put(cluster("b", "good 2"))] == [["b"]]


def test_dropping_a_name_under_everything_is_answered() -> None:
    talk = Talk(cluster("a"))
    talk.ack(talk.ask(CLUSTER, "*", "a", "x")[0])
    [send] = talk.unsubscribe(CLUSTER, "a", "x")
    assert (names(send), send.removed) == (["a"], ("x",))


def test_nothing_waits_for_a_name_that_was_dropped_while_in_flight() -> None:
    talk = Talk(cluster("a"))
    for kind in (LISTENER, SCOPED_ROUTES):
        talk.ack(talk.ask(kind)[0])
    [send] = talk.ask(CLUSTER)
    assert talk.unsubscribe(CLUSTER, "*") == []
    [routes] = talk.put(route("r", to="a"))
    assert names(routes) == ["r"]
    assert talk.ack(send) == []
    assert talk.said == []


# --- reconnecting ---


def test_nothing_travels_to_a_node_that_has_it_all() -> None:
    talk = Talk(cluster("a"), route("r"))
    assert talk.ask(CLUSTER, held={"a": cluster("a").version}) == []
    assert talk.ask(SCOPED_ROUTES, held={"r": route("r").version}) == []
    assert ResourcesApplied(SCOPED_ROUTES, (("r", route("r").version),)) in talk.said


def test_only_differences_travel_removals_included() -> None:
    talk = Talk(route("same"), route("new"), route("changed"))
    held = {"same": route("same").version, "changed": "old", "gone": "old"}
    [send] = talk.ask(SCOPED_ROUTES, held=held)
    assert (names(send), send.removed) == (["changed", "new"], ("gone",))


def test_clusters_go_only_after_the_resumed_routes_are_known() -> None:
    talk = Talk(cluster("new"), route("r", to="new"))
    [first] = talk.ask(CLUSTER, held={"old": "1"})
    assert (names(first), first.removed) == (["new"], ())
    assert talk.ask(SCOPED_ROUTES, held={"r": "names old"}) == []
    [routes] = talk.ack(first)
    assert names(routes) == ["r"]
    [removal] = talk.ack(routes)
    assert (removal.type_url, removal.removed) == (CLUSTER, ("old",))


def test_clusters_go_even_if_nothing_else_changed() -> None:
    talk = Talk()
    [probe] = talk.ask(CLUSTER, held={"old": "1"})
    assert (probe.resources, probe.removed) == ((), ())
    [removal] = talk.ack(probe)
    assert removal.removed == ("old",)


def test_a_held_cluster_that_is_wanted_again_before_the_first_answer_stays() -> None:
    talk = Talk()
    [probe] = talk.ask(CLUSTER, held={"a": cluster("a").version})
    assert talk.put(cluster("a")) == []
    assert talk.said == [ResourcesApplied(CLUSTER, (("a", cluster("a").version),))]
    assert talk.ack(probe) == []


# --- make before break ---


@pytest.fixture
def ready() -> Talk:
    """One API, all of it acknowledged."""
    talk = Talk(cluster("old"), route("r", to="old"), Resource.of(LISTENER, "l", b"good"))
    for kind in (CLUSTER, LISTENER, SCOPED_ROUTES):
        talk.ack(talk.ask(kind)[0])
    return talk


def test_a_cluster_precedes_and_outlives_its_routes(ready: Talk) -> None:
    [added] = ready.put(cluster("new"), route("r", to="new"), remove=((CLUSTER, "old"),))
    assert (names(added), added.removed) == (["new"], ())
    [routes] = ready.ack(added)
    assert (routes.type_url, names(routes)) == (SCOPED_ROUTES, ["r"])
    [removal] = ready.ack(routes)
    assert (removal.type_url, removal.removed) == (CLUSTER, ("old",))


def test_listeners_come_between_clusters_and_routes(ready: Talk) -> None:
    listener = Resource.of(LISTENER, "l", b"good 2")
    order = []
    sends = ready.put(route("r", "good 2", to="new"), listener, cluster("new"))
    while sends:
        [send] = sends
        order.append(send.type_url)
        sends = ready.ack(send)
    assert order == [CLUSTER, LISTENER, SCOPED_ROUTES]


def test_a_refused_cluster_does_not_hold_its_routes_back(ready: Talk) -> None:
    [added] = ready.put(cluster("new", "bad"), route("r", to="new"))
    [routes] = ready.nack(added)
    assert names(routes) == ["r"]


def test_a_slow_cluster_does_not_hold_back_other_changes(ready: Talk) -> None:
    ready.put(cluster("slow"), route("s", to="slow"))
    [send] = ready.put(route("r", "good 2", to="old"))
    assert names(send) == ["r"]


def test_a_route_waits_for_the_cluster_that_an_earlier_change_brings(ready: Talk) -> None:
    [shared] = ready.put(cluster("shared"), route("first", to="shared"))
    # The next API in front of the same native service: its cluster is there for the cache, not for the node.
    assert ready.put(route("r", to="shared")) == []
    [other] = ready.put(route("other", to="old"))
    assert (names(other), ready.ack(other)) == (["other"], [])
    assert sorted(names(ready.ack(shared)[0])) == ["first", "r"]


def test_a_refused_cluster_holds_back_no_route_of_a_later_change(ready: Talk) -> None:
    [shared] = ready.put(cluster("shared", "bad"), route("first", to="shared"))
    assert ready.put(route("r", to="shared")) == []
    [both] = ready.nack(shared)
    assert sorted(names(both)) == ["first", "r"]


def test_a_cluster_stays_while_a_refused_route_leaves_its_user_serving(ready: Talk) -> None:
    [added] = ready.put(cluster("new"), route("r", "bad", to="new"), remove=((CLUSTER, "old"),))
    [routes] = ready.ack(added)
    assert ready.nack(routes) == []
    [fixed] = ready.put(route("r", to="new"))
    [removal] = ready.ack(fixed)
    assert removal.removed == ("old",)


def test_a_cluster_waits_for_the_routes_of_earlier_changes_too(ready: Talk) -> None:
    [slow] = ready.put(cluster("slow"), route("r", to="slow"))
    [other] = ready.put(route("other"), remove=((CLUSTER, "old"),))
    assert ready.ack(other) == []
    [last_user] = ready.ack(slow)
    assert names(last_user) == ["r"]
    [removal] = ready.ack(last_user)
    assert removal.removed == ("old",)


def test_a_change_of_mind_in_flight_does_not_remove_the_cluster_too_early(ready: Talk) -> None:
    [added] = ready.put(cluster("new"), route("r", to="new"), remove=((CLUSTER, "old"),))
    [routes] = ready.ack(added)
    # The route to the new cluster is in flight; everything returns to the old one.
    assert ready.put(cluster("old"), route("r", to="old"), remove=((CLUSTER, "new"),)) == []
    [back] = ready.ack(routes)
    assert (names(back), back.removed) == (["r"], ())
    [removal] = ready.ack(back)
    assert removal.removed == ("new",)
