"""Slots are shared among callers, and nobody waits without bounds."""

from __future__ import annotations

import asyncio

import pytest

from crossgate.workers.fair_queue import MOST_WAITING, MOST_WAITING_OF_CALLER, FairQueue, QueueFullError


class Work:
    """Jobs that take a slot, and end when the test ends them."""

    def __init__(self, queue: FairQueue) -> None:
        self.begun: list[str] = []
        self._queue = queue
        self._ends: dict[str, list[asyncio.Event]] = {}

    async def start(self, caller: str, *, preferred: bool = False) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(caller, preferred=preferred))
        await _settle()
        return task

    async def end(self, caller: str) -> None:
        self._ends[caller].pop(0).set()
        await _settle()

    async def _run(self, caller: str, *, preferred: bool) -> None:
        async with self._queue.slot(caller, preferred=preferred):
            end = asyncio.Event()
            self._ends.setdefault(caller, []).append(end)
            self.begun.append(caller)
            await end.wait()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_one_caller_gets_one_slot_and_the_next_goes_to_another() -> None:
    async def play() -> list[str]:
        work = Work(FairQueue(slots=1, reserved=0))
        for caller in ("a", "a", "a", "b", "c"):
            await work.start(caller)
        for caller in ("a", "b", "c", "a", "a"):
            await work.end(caller)
        return work.begun

    assert asyncio.run(play()) == ["a", "b", "c", "a", "a"]


def test_preferred_callers_have_slots_that_others_cannot_take() -> None:
    async def play() -> list[str]:
        work = Work(FairQueue(slots=2, reserved=1))
        for caller in ("a", "b", "c"):
            await work.start(caller)
        await work.start("admin", preferred=True)
        return work.begun

    assert asyncio.run(play()) == ["a", "b", "admin"]


def test_waiting_is_bounded_for_each_caller_and_in_total() -> None:
    async def play() -> tuple[QueueFullError, QueueFullError]:
        work = Work(FairQueue(slots=1, reserved=0))
        for _ in range(1 + MOST_WAITING_OF_CALLER):
            await work.start("a")
        of_caller = (await work.start("a")).exception()
        for number in range(MOST_WAITING - MOST_WAITING_OF_CALLER):
            await work.start(f"b{number}")
        in_total = (await work.start("c")).exception()
        assert isinstance(of_caller, QueueFullError)
        assert isinstance(in_total, QueueFullError)
        return of_caller, in_total

    of_caller, in_total = asyncio.run(play())

    assert (of_caller.of_caller, in_total.of_caller) == (True, False)


@pytest.mark.parametrize("order", [("b", "a"), ("a", "b")])
def test_cancelled_jobs_give_their_slots_back(order: tuple[str, ...]) -> None:
    async def play() -> list[str]:
        work = Work(FairQueue(slots=1, reserved=0))
        tasks = {caller: await work.start(caller) for caller in ("a", "b")}
        for caller in order:
            tasks[caller].cancel()
        await _settle()
        await work.start("c")
        return work.begun

    assert asyncio.run(play())[-1] == "c"
