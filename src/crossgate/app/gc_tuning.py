"""Keeps the garbage collector off while a start fills the memory with objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the collector inside the context; afterwards exempt all objects that exist by then.

    Thousands of APIs are millions of objects, none of them garbage. Traversing them costs a third of a start,
    and 0.1 s or more during a later change. That would miss two aims of docs/explanation/performance.md: 4 s
    to start with 5,000 APIs, and 60 ms for 99 % of changes. bench/store_propagation.py measures both.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
