"""The caches of the middleware: the same answers as without, in bounded memory."""

from __future__ import annotations

import tracemalloc

from crossgate.middleware.enforcer import CACHE_SIZE, bounded_cache


def test_answers_are_those_of_the_function() -> None:
    computed: list[str] = []

    def is_even(value: str) -> bool:
        computed.append(value)
        return len(value) % 2 == 0

    cached = bounded_cache(is_even, longest=3)
    assert [cached(value) for value in ("ab", "abc", "abcd", "ab", "abc", "abcd")] == [
        True,
        False,
        True,
        True,
        False,
        True,
    ]
    assert computed == ["ab", "abc", "abcd", "abcd"]


def test_the_memory_of_a_cache_is_bounded() -> None:
    longest = 255
    cached = bounded_cache(lambda value: value == "", longest)
    full = 0
    tracemalloc.start()
    for number in range(4 * CACHE_SIZE):
        assert not cached(f"{number:0{longest}}")
        if number == CACHE_SIZE:
            full, _ = tracemalloc.get_traced_memory()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert full < CACHE_SIZE * 1024
    assert held < full + 64 * 1024
