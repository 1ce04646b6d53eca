"""Measures several calls in turn: their processor time, and the memory that each allocates."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

Call = Callable[[], object]

_ROUNDS: Final = 30
_BATCH: Final = 0.001
_SLOW: Final = 0.02
_LONG: Final = 0.002


@dataclass(frozen=True, slots=True)
class Memory:
    """The peak memory of a call."""

    octets: int
    blocks: int | None
    """Blocks of at most 512 bytes, the size of nearly all objects, counted at each call and return.

    None for a call with so many function calls that counting would take minutes.
    """


def seconds_by_round(calls: Sequence[Call]) -> list[list[float]]:
    """Processor time of each call in seconds, by round.

    Every round runs all calls in turn, so that other load on the machine affects all of them. A slow call is
    measured once.
    """
    batches = []
    rounds: list[list[float]] = []
    for call in calls:
        call()
        once = _timed(call, 1)
        slow = once > _SLOW
        batches.append(0 if slow else max(1, int(_BATCH / once)) if once else 1000)
        rounds.append([once] * _ROUNDS if slow else [])
    for _ in range(_ROUNDS):
        for call, batch, seen in zip(calls, batches, rounds, strict=True):
            if batch:
                seen.append(_timed(call, batch) / batch)
    return rounds


def memory_of(call: Call) -> Memory:
    """The peak memory of a call, after a first call that fills caches."""
    if _timed(call, 1) > _LONG:
        return Memory(_octets(call), None)
    return Memory(_octets(call), _blocks(call) - _blocks(lambda: None))


def reaches(call: Call, code: CodeType) -> bool:
    """Whether the call runs that code."""
    seen = False

    def look(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal seen
        seen = seen or (event == "call" and frame.f_code is code)

    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def run(coroutine: Coroutine[Any, Any, object] | Awaitable[object]) -> None:
    """Run a coroutine that never waits, without the cost of an event loop."""
    try:
        coroutine.send(None)  # type: ignore[union-attr]  # an awaitable here is a coroutine
    except StopIteration:
        return
    raise RuntimeError("the coroutine waited")


def _timed(call: Call, times: int) -> float:
    before = time.thread_time()
    for _ in range(times):
        call()
    return time.thread_time() - before


def _octets(call: Call) -> int:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def _blocks(call: Call) -> int:
    allocated = sys.getallocatedblocks
    most = 0

    def look(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal most
        now = allocated()
        most = max(now, most)

    call()
    before = allocated()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
    return most - before
