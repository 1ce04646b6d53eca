"""Since when one node has not decided: changes, rejections, held back removals, connections."""

from __future__ import annotations

import pytest
from tests.model_node import cluster, replace, route

from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Connection, Ledger
from crossgate.xds.messages import EVERYTHING, ResourceRejected, ResourcesApplied, SubscriptionChanged
from crossgate.xds.node_progress import NodeProgress
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger() -> Ledger:
    cache = Cache()
    replace(cache, [cluster("a", "one")])
    return Ledger(cache)


def subscribe(ledger: Ledger, session: Connection, *types: str) -> None:
    for type_url in types:
        ledger.record(session, SubscriptionChanged(type_url, (EVERYTHING,)))


def apply(ledger: Ledger, session: Connection, text: str, name: str = "a") -> None:
    ledger.record(session, ResourcesApplied(CLUSTER, ((name, cluster(name, text).version),)))


def test_a_change_is_undecided_from_its_publication_until_the_answer(ledger: Ledger, clock: Clock) -> None:
    progress = NodeProgress(ledger, "own", clock)
    clock.now = 1
    assert progress.undecided_since() == 0.0
    session, other = ledger.connect("own"), ledger.connect("other")
    subscribe(ledger, session, CLUSTER)
    assert progress.undecided_since() == 1
    apply(ledger, session, "one")
    assert progress.undecided_since() is None

    clock.now = 2
    replace(ledger.cache, [cluster("a", "two")])
    clock.now = 3
    apply(ledger, other, "two")
    assert progress.undecided_since() == 2
    ledger.record(session, ResourceRejected(CLUSTER, "a", cluster("a", "two").version, "why"))
    assert progress.undecided_since() is None
    assert progress.rejections() == 1

    clock.now = 4
    ledger.disconnect(session)
    clock.now = 5
    assert (progress.undecided_since(), progress.rejections()) == (4, 0)
    again = ledger.connect("own")
    apply(ledger, again, "two")
    assert progress.undecided_since() is None
    progress.close()
    replace(ledger.cache, [cluster("a", "three")])
    assert progress.undecided_since() is None


def test_what_counts_is_the_time_since_the_last_answer(ledger: Ledger, clock: Clock) -> None:
    """A change every 10 ms, answered after 15 ms: never settled, and never behind."""
    progress = NodeProgress(ledger, "own", clock)
    session = ledger.connect("own")
    apply(ledger, session, "one")
    assert progress.undecided_since() is None
    for number in range(100):
        clock.now = number * 0.010
        replace(ledger.cache, [cluster("a", f"{number}")])
        if number:
            clock.now += 0.005
            apply(ledger, session, f"{number - 1}")
    since = progress.undecided_since()
    assert since is not None
    assert clock.now - since <= 0.015


def test_what_is_decided_is_forgotten_though_nobody_asks(ledger: Ledger, clock: Clock) -> None:
    progress = NodeProgress(ledger, "own", clock)
    session = ledger.connect("own")
    subscribe(ledger, session, CLUSTER)
    assert progress.undecided_since() == 0
    before = sizes(progress)
    for number in range(100):
        name = f"api-{number}"
        replace(ledger.cache, [cluster(name, "one")])
        apply(ledger, session, "one", name)
        replace(ledger.cache, [])
        ledger.record(session, ResourcesApplied(CLUSTER, ((name, None),)))
    assert sizes(progress) <= before


def sizes(progress: NodeProgress) -> int:
    return sum(len(value) for value in vars(progress).values() if isinstance(value, dict))


def test_a_removal_that_is_held_back_is_decided(ledger: Ledger, clock: Clock) -> None:
    progress = NodeProgress(ledger, "own", clock)
    good, bad = route("r", "a"), route("r", "b")
    replace(ledger.cache, [cluster("a", "one"), good])
    session = ledger.connect("own")
    apply(ledger, session, "one")
    ledger.record(session, ResourcesApplied(SCOPED_ROUTES, (("r", good.version),)))
    assert progress.undecided_since() is None
    clock.now = 1
    replace(ledger.cache, [bad])
    assert progress.undecided_since() == 1
    ledger.record(session, ResourceRejected(SCOPED_ROUTES, "r", bad.version, "why"))
    assert progress.undecided_since() is None


def test_the_newest_of_two_connections_counts(ledger: Ledger, clock: Clock) -> None:
    progress = NodeProgress(ledger, "own", clock)
    old = ledger.connect("own")
    apply(ledger, old, "one")
    clock.now = 1
    new = ledger.connect("own")
    assert progress.undecided_since() == 1
    ledger.disconnect(old)
    apply(ledger, new, "one")
    assert progress.undecided_since() is None
