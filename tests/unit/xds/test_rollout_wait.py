"""A wait ends when every connected node has decided on a revision."""

from __future__ import annotations

import asyncio

from tests.model_node import cluster, replace, route

from crossgate.xds.cache import Cache
from crossgate.xds.ledger import Ledger
from crossgate.xds.messages import ResourceRejected, ResourcesApplied
from crossgate.xds.resource_types import CLUSTER, SCOPED_ROUTES
from crossgate.xds.rollout_wait import wait_until_decided

KEY = (CLUSTER, "a")


def ledger_of(*texts: str) -> Ledger:
    cache = Cache()
    replace(cache, [cluster("a", text) for text in texts])
    return Ledger(cache)


def version(text: str = "good") -> str:
    return cluster("a", text).version


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


def test_a_rejection_of_what_is_no_longer_wanted_does_not_count() -> None:
    ledger = ledger_of("bad")
    session = ledger.connect("n")
    ledger.record(session, ResourceRejected(CLUSTER, "a", version("bad"), "why"))
    replace(ledger.cache, [])
    assert asyncio.run(wait_until_decided(ledger, {KEY: None})).applied


def test_each_node_is_reported_when_it_has_decided() -> None:
    async def run() -> None:
        ledger = ledger_of("good")
        fast, slow, left = (ledger.connect(name) for name in ("fast", "slow", "left"))
        current = ledger.connect("current")
        ledger.record(current, ResourcesApplied(CLUSTER, (("a", version()),)))
        decided: list[str] = []
        waiting = asyncio.create_task(
            wait_until_decided(ledger, on_decided=lambda session: decided.append(session.node))
        )
        await asyncio.sleep(0)
        ledger.record(fast, ResourcesApplied(CLUSTER, (("a", version()),)))
        assert decided == ["fast"]
        # Neither those that connect later, nor those that leave, nor anyone twice.
        later = ledger.connect("later")
        ledger.record(later, ResourcesApplied(CLUSTER, (("a", version()),)))
        ledger.disconnect(left)
        ledger.record(fast, ResourcesApplied(CLUSTER, (("a", version()),)))
        assert decided == ["fast"]
        ledger.record(slow, ResourceRejected(CLUSTER, "a", version(), "why"))
        await waiting
        assert decided == ["fast", "slow"]

    asyncio.run(run())
