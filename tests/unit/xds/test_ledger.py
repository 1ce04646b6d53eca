"""What the ledger records of each node."""

from __future__ import annotations

from tests.model_node import cluster, replace

from crossgate.compiler.resource import Resource
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import LONGEST_MESSAGE, Ledger
from crossgate.xds.messages import ResourceRejected, ResourcesApplied, SubscriptionChanged
from crossgate.xds.resource_types import CLUSTER, ENDPOINTS

KEY = (CLUSTER, "a")


def ledger_of(*texts: str) -> Ledger:
    cache = Cache()
    replace(cache, [cluster("a", text) for text in texts])
    return Ledger(cache, clock=lambda: 1000.0)


def version(text: str = "good") -> str:
    return cluster("a", text).version


def test_a_node_is_behind_until_it_acknowledges() -> None:
    ledger = ledger_of("good")
    session = ledger.connect("n")
    [node] = ledger.nodes()
    assert (node.node, node.connected_at, node.acknowledged_at, node.pending) == ("n", 1000.0, None, 1)
    assert session.version(KEY) is None
    ledger.record(session, ResourcesApplied(CLUSTER, (("a", version()),)))
    assert session.applied[KEY] == (version(), 1000.0)
    assert [(node.applied, node.pending) for node in ledger.nodes()] == [(1, 0)]


def test_a_rejection_has_node_resource_and_reason_and_ends_with_the_next_good_version() -> None:
    ledger = ledger_of("bad")
    session = ledger.connect("n")
    ledger.record(session, ResourceRejected(CLUSTER, "a", version("bad"), "why" * LONGEST_MESSAGE))
    [rejection] = ledger.rejected_by(session)
    assert (rejection.node, rejection.key, rejection.version) == ("n", KEY, version("bad"))
    assert len(rejection.message) == LONGEST_MESSAGE
    assert "node n rejected Cluster a: why" in str(rejection.diagnostic())
    assert ledger.nodes()[0].pending == 0
    ledger.record(session, ResourcesApplied(CLUSTER, (("a", version()),)))
    assert ledger.rejected_by(session) == []


def test_of_a_long_message_the_beginning_and_the_reason_at_its_end_are_kept() -> None:
    ledger = ledger_of("bad")
    session = ledger.connect("n")
    dump = "\n".join(f'  domains: "https://{number}.example.com"' for number in range(100))
    reason = "Proto constraint validation failed (VirtualHostValidationError.Name: too short)"
    message = f'Cannot use it: goo.gle/debugstr   \nname: "pets"\n{dump}\n: {reason}'
    ledger.record(session, ResourceRejected(CLUSTER, "a", version("bad"), message))
    [rejection] = ledger.rejected_by(session)
    assert len(rejection.message) == LONGEST_MESSAGE
    assert rejection.message.startswith('Cannot use it: name: "pets" domains: "https://0.example.com"')
    assert rejection.message.endswith(f'"https://99.example.com" : {reason}')


def test_a_rejection_ends_when_the_resource_is_no_longer_wanted() -> None:
    ledger = ledger_of("bad")
    session = ledger.connect("n")
    ledger.record(session, ResourceRejected(CLUSTER, "a", version("bad"), "why"))
    replace(ledger.cache, [])
    assert ledger.nodes()[0].rejections == ()


def test_a_resource_that_a_node_does_not_subscribe_to_is_not_pending() -> None:
    ledger = ledger_of()
    session = ledger.connect("n")
    replace(ledger.cache, [Resource.of(ENDPOINTS, "e", b"good")])
    assert ledger.nodes()[0].pending == 0
    ledger.record(session, SubscriptionChanged(ENDPOINTS, added=("e",)))
    assert ledger.nodes()[0].pending == 1
    wanted = ledger.cache.version((ENDPOINTS, "e"))
    ledger.record(session, ResourcesApplied(ENDPOINTS, (("e", wanted),)))
    assert ledger.nodes()[0].pending == 0
    ledger.record(session, SubscriptionChanged(ENDPOINTS, dropped=("e",)))
    assert ledger.nodes()[0].applied == 0


def test_of_the_incarnations_of_a_node_the_newest_is_listed() -> None:
    ledger = ledger_of("good")
    old, other = ledger.connect("n", "a.1"), ledger.connect("m", "a.1")
    seen: list[str] = []
    ledger.watch(lambda change: seen.append(change.session.incarnation))
    new = ledger.connect("n", "a.2")
    assert list(ledger.sessions) == [other, new]
    assert seen == ["a.1", "a.2"]
    assert ledger.is_replaced(old)
    # It is notified of, and reports, changes as before; nobody waits for it.
    ledger.record(old, ResourceRejected(CLUSTER, "a", version(), "why"))
    assert seen == ["a.1", "a.2"]
    assert [one.rejections for one in ledger.nodes()] == [(), ()]
    again = ledger.connect("n", "a.1")
    assert ledger.is_replaced(again)
    assert list(ledger.sessions) == [other, new]


def test_incarnations_of_other_names_are_other_processes() -> None:
    ledger = ledger_of("good")
    sessions = [ledger.connect("n", incarnation) for incarnation in ("a.1", "b.2", "", "", "odd", "odd.x")]
    assert list(ledger.sessions) == sessions


def test_a_replaced_process_that_connects_before_its_successor_is_known() -> None:
    ledger = ledger_of("good")
    ledger.expect_after("n", "a.1")
    assert ledger.is_replaced(ledger.connect("n", "a.1"))
    new = ledger.connect("n", "a.2")
    assert list(ledger.sessions) == [new]
