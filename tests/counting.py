"""Counts the work of an action, for tests of its cost that do not depend on the machine."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType


def calls(action: Callable[[], object]) -> int:
    """How many functions, Python's and C's, the action calls. Those of a garbage collection do not count."""
    count = 0

    def see(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(see)
    try:
        action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def peak_memory(action: Callable[[], object]) -> int:
    """The most bytes that the action allocates at one time."""
    tracemalloc.start()
    action()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
