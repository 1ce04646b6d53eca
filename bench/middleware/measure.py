"""Measures calls beside one another: processor time, and the memory that one call holds."""

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
    """What a call held at its highest point."""

    octets: int
    blocks: int | None
    """Of at most 512 bytes, as nearly all objects take; counted whenever a function is called or returns.

    None for a call that does this so often that counting takes minutes.
    """


def seconds_by_round(calls: Sequence[Call]) -> list[list[float]]:
    """Seconds of processor time that each call took, round by round.

    In each round every call has its turn, so that whatever else the machine does in that moment, it does to
    all. A slow call has one turn.
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
    """What one call holds; not the first, for that fills what is filled once."""
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
    """Run what never waits for anything, without an event loop's cost."""
    try:
        coroutine.send(None)  # type: ignore[union-attr]  # an awaitable here is a coroutine
    except StopIteration:
        return
    raise RuntimeError("it waited")


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
