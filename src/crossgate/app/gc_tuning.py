"""Keeps the garbage collector off while a start fills the memory with objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the collector inside the context; afterwards exempt all objects that exist by then.

    Thousands of APIs are millions of objects, none of them garbage. Traversing them costs a third of a start,
    and 0.1 s or more in the middle of a later change: see the aims for the start and for changes in
    docs/explanation/performance.md, measured by bench/gateway.py.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
