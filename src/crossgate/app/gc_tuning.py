"""The garbage collector around a start that fills the memory with what stays there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Collect nothing meanwhile, and look at nothing of what is there afterwards ever again.

    Thousands of APIs are millions of objects, none of them garbage. Going through them again and again costs
    a third of a start, and later on 0.1 s and more in the midst of some change.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
