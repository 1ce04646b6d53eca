"""The counts of a control plane equal what clients sent to its nodes, whatever restarts or changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.live.telemetry.fleet import Fleet, fleet
from tests.live.telemetry.load import mixed, send, send_malformed

pytestmark = pytest.mark.live
_REQUESTS = 500


def run(folder: Path, test: Callable[[Fleet], Awaitable[None]], *nodes: str) -> None:
    async def started() -> None:
        async with fleet(folder, *nodes) as made:
            await test(made)

    asyncio.run(started())


def test_counts_are_exact_through_restarts_and_changes(tmp_path: Path) -> None:
    async def test(nodes: Fleet) -> None:
        async def load() -> None:
            nodes.expected += await send(nodes.port, mixed(_REQUESTS))

        nodes.expected += await send_malformed(nodes.port)
        loading = asyncio.create_task(load())
        for number in range(3):
            await nodes.change_policy(f"https://{number}.new.example")
        await loading
        await nodes.restart_node("a")
        await load()
        # The sink is down.
        await nodes.stop_control_plane()
        await load()
        await nodes.start_control_plane()
        await load()
        await nodes.counted_exactly()
        # What it had sent is not lost, and the process after it begins at 0.
        await nodes.kill_node("b")
        await load()
        await nodes.counted_exactly()

    run(tmp_path, test, "a", "b")


def test_a_stop_loses_nothing(tmp_path: Path) -> None:
    async def test(nodes: Fleet) -> None:
        nodes.expected += await send(nodes.port, mixed(_REQUESTS))
        await nodes.envoys["a"].stop()
        await nodes.counted_exactly()

    run(tmp_path, test, "a")


def test_a_killed_envoy_loses_at_most_what_it_had_not_sent(tmp_path: Path) -> None:
    async def test(nodes: Fleet) -> None:
        nodes.expected += await send(nodes.port, mixed(_REQUESTS))
        await nodes.counted_exactly()
        later = await send(nodes.port, mixed(_REQUESTS))
        await nodes.kill_node("a")
        nodes.expected += await send(nodes.port, mixed(_REQUESTS))
        await nodes.counted_at_least()
        assert nodes.counted() <= nodes.expected + later

    run(tmp_path, test, "a")
