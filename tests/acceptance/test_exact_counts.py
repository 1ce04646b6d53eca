"""100,000 mixed requests over two nodes are counted exactly, and what a killed Envoy loses is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

import pytest
from tests.live.telemetry.fleet import FLUSH_SECONDS, Fleet, fleet
from tests.live.telemetry.load import mixed, send, send_malformed

pytestmark = pytest.mark.acceptance
_REQUESTS = 100_000
_PHASES = 5
_KILLS = 5


def _run(folder: Path, test: Callable[[Fleet], Awaitable[None]]) -> None:
    async def started() -> None:
        async with fleet(folder, "a", "b") as nodes:
            await test(nodes)

    asyncio.run(started())


def test_every_series_is_exact(tmp_path: Path) -> None:
    async def test(nodes: Fleet) -> None:
        async def load() -> None:
            nodes.expected += await send(nodes.port, mixed(_REQUESTS // _PHASES))

        begun = monotonic()
        nodes.expected += await send_malformed(nodes.port)
        loading = asyncio.create_task(load())
        for number in range(10):
            await nodes.change_policy(f"https://{number}.new.example")
        await loading
        await nodes.restart_node("a")
        await load()
        await nodes.stop_control_plane()
        await load()
        await nodes.start_control_plane()
        await load()
        await nodes.restart_node("b")
        await load()
        await nodes.counted_exactly()
        sent, series = nodes.expected.total(), len(nodes.expected)
        print(f"\n{sent} requests, {series} series: all exact ({monotonic() - begun:.0f} s)")  # noqa: T201 - the figures

    _run(tmp_path, test)


def test_what_a_killed_envoy_loses(tmp_path: Path) -> None:
    async def test(nodes: Fleet) -> None:
        for number in range(_KILLS):
            nodes.expected += await send(nodes.port, mixed(1_000))
            await nodes.counted_exactly()
            unsent = await send(nodes.port, mixed(1_000))
            await nodes.kill_node("a")
            await asyncio.sleep(10 * FLUSH_SECONDS)
            lost = nodes.expected + unsent - nodes.counted()
            assert lost <= unsent
            nodes.expected = nodes.counted()
            figures = f"\nkill {number + 1}: {lost.total()} of the last {unsent.total()} requests lost"
            print(figures, end="")  # noqa: T201 - the figures

    _run(tmp_path, test)
