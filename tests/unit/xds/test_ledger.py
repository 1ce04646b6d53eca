from __future__ import annotations

import asyncio

from tests.model_node import cluster, replace, route

from crossgate.compiler.resource import Resource
from crossgate.xds.cache import Cache
from crossgate.xds.ledger import LONGEST_MESSAGE, Ledger
from crossgate.xds.messages import ResourceRejected, ResourcesApplied, SubscriptionChanged
from crossgate.xds.resource_types import CLUSTER, ENDPOINTS, SCOPED_ROUTES
from crossgate.xds.rollout_wait import wait_until_decided

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
    outcome = asyncio.run(wait_until_decided(ledger, {KEY: None}))
    assert outcome.applied


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


def test_waiting_ends_when_every_node_has_decided() -> None:
    async def run() -> None:
        ledger = ledger_of("bad")
        first, second = ledger.connect("first"), ledger.connect("second")
        waiting = asyncio.create_task(wait_until_decided(ledger))
        await asyncio.sleep(0)
        ledger.record(first, ResourcesApplied(CLUSTER, (("a", version("bad")),)))
        await asyncio.sleep(0)
        assert not waiting.done()
        ledger.record(second, ResourceRejected(CLUSTER, "a", version("bad"), "why"))
        outcome = await waiting
        assert outcome.nodes == ("first", "second")
        assert not outcome.applied
        assert [rejection.node for rejection in outcome.rejections] == ["second"]

    asyncio.run(run())


def test_waiting_needs_a_node_and_not_one_that_left() -> None:
    async def run() -> None:
        ledger = ledger_of("good")
        waiting = asyncio.create_task(wait_until_decided(ledger))
        await asyncio.sleep(0)
        left, stays = ledger.connect("left"), ledger.connect("stays")
        ledger.record(stays, ResourcesApplied(CLUSTER, (("a", version()),)))
        await asyncio.sleep(0)
        assert not waiting.done()
        ledger.disconnect(left)
        assert (await waiting).nodes == ("stays",)

    asyncio.run(run())


def test_waiting_for_an_overtaken_version_ends_with_the_newer_one() -> None:
    async def run() -> None:
        ledger = ledger_of("good")
        session = ledger.connect("n")
        waiting = asyncio.create_task(wait_until_decided(ledger, {KEY: version()}))
        await asyncio.sleep(0)
        replace(ledger.cache, [cluster("a", "good 2")])
        ledger.record(session, ResourcesApplied(CLUSTER, (("a", version("good 2")),)))
        assert (await waiting).applied

    asyncio.run(run())


def test_waiting_for_everything_includes_removals() -> None:
    async def run() -> None:
        ledger = ledger_of("good")
        session = ledger.connect("n")
        ledger.record(session, ResourcesApplied(CLUSTER, (("a", version()),)))
        replace(ledger.cache, [])
        waiting = asyncio.create_task(wait_until_decided(ledger))
        await asyncio.sleep(0)
        assert not waiting.done()
        ledger.record(session, ResourcesApplied(CLUSTER, (("a", None),)))
        assert (await waiting).applied

    asyncio.run(run())


def test_a_removal_behind_a_rejected_resource_counts_as_decided() -> None:
    async def run() -> None:
        ledger = ledger_of("good")
        before, after = route("r", to="a"), route("r", "bad", to="b")
        session = ledger.connect("n")
        ledger.record(session, ResourcesApplied(CLUSTER, (("a", version()),)))
        ledger.record(session, ResourcesApplied(SCOPED_ROUTES, (("r", before.version),)))
        replace(ledger.cache, [after])
        waiting = asyncio.create_task(wait_until_decided(ledger))
        await asyncio.sleep(0)
        # The last good version of the rejected route goes on serving, and needs the cluster.
        ledger.record(session, ResourceRejected(SCOPED_ROUTES, "r", after.version, "why"))
        assert [one.key for one in (await waiting).rejections] == [(SCOPED_ROUTES, "r")]
        # A wait that begins later ends as well.
        assert not (await wait_until_decided(ledger)).applied

    asyncio.run(run())
