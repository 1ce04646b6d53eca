"""Counts of open refusals that are kept for a moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from crossgate.service.open_counts import KEPT_SECONDS, OpenCounts
from crossgate.service.permission import EVERYTHING, Permission


class Reader:
    """Counts, and how often it was read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> int:
        self.reads += 1
        return self.reads


def test_a_count_is_kept_until_something_changes() -> None:
    now = [0.0]
    store = SimpleNamespace(head=object())
    counts, read = OpenCounts(cast("Any", store), lambda: now[0]), Reader()
    assert [counts.count(EVERYTHING, read) for _ in range(2)] == [1, 1]
    limited = Permission(apis=("pets",))
    assert counts.count(limited, read) == 2
    counts.clear()
    assert counts.count(EVERYTHING, read) == 3
    store.head = object()
    assert counts.count(EVERYTHING, read) == 4
    now[0] += KEPT_SECONDS
    assert counts.count(EVERYTHING, read) == 5


def test_what_changes_while_it_is_counted_is_counted_again() -> None:
    store = SimpleNamespace(head=object())
    counts = OpenCounts(cast("Any", store), lambda: 0.0)

    def read() -> int:
        counts.clear()
        return 1

    assert counts.count(EVERYTHING, read) == 1
    assert counts.count(EVERYTHING, lambda: 2) == 2
