"""Work that a stop ends."""

from __future__ import annotations

import asyncio

import pytest

from crossgate.service.stoppable import Stoppable


def test_a_stop_ends_what_runs_as_if_it_had_finished() -> None:
    async def test() -> None:
        streams = Stoppable()
        begun, ended = asyncio.Event(), asyncio.Event()

        async def endless() -> str:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

        running = asyncio.create_task(streams.run(endless()))
        await begun.wait()
        await streams.stop()
        assert await running is None
        assert ended.is_set()
        assert await streams.run(endless()) is None

    asyncio.run(test())


def test_results_and_exceptions_are_those_of_the_work() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> int:
        raise LookupError

    assert asyncio.run(Stoppable().run(answer())) == 7
    with pytest.raises(LookupError):
        asyncio.run(Stoppable().run(fail()))


def test_who_is_cancelled_cancels_the_work() -> None:
    async def test() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def endless() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        running = asyncio.create_task(Stoppable().run(endless()))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert ended.is_set()

    asyncio.run(test())
