"""Measures a call: the best of many short batches in processor time, and the memory of one call."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

SECONDS: Final = 0.15
"""What one measurement may take, slow calls aside."""

_BATCH: Final = 0.002


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call."""

    seconds: float
    allocated: int
    """Bytes that it held at its highest point."""


def cost_of(call: Callable[[], object]) -> Cost:
    """Processor time of this thread: what other processes do to the clock is left out."""
    return Cost(_seconds(call), _memory(call))


def reaches(call: Callable[[], object], code: CodeType) -> bool:
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


def _seconds(call: Callable[[], object]) -> float:
    call()
    once = _timed(call, 1)
    batch = max(1, int(_BATCH / once)) if once else 1000
    best = once
    started = time.perf_counter()
    while True:
        best = min(best, _timed(call, batch) / batch)
        if time.perf_counter() - started > SECONDS:
            return best


def _timed(call: Callable[[], object], times: int) -> float:
    before = time.thread_time()
    for _ in range(times):
        call()
    return time.thread_time() - before


def _memory(call: Callable[[], object]) -> int:
    tracemalloc.start()
    call()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before
