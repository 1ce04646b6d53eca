"""Estimates of distinct values, compared with exact sets."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossgate.service.hyperloglog import MAX_RANK, REGISTERS, add, empty, estimate, is_valid, merge

THREE_SIGMA = 3 / sqrt(REGISTERS)


def hashes(values: Iterable[int], key: bytes = b"key") -> Iterable[int]:
    for value in values:
        yield int.from_bytes(blake2b(str(value).encode(), digest_size=8, key=key).digest(), "little")


def count(hashed: Iterable[int]) -> bytes:
    registers = empty()
    for one in hashed:
        add(registers, one)
    return bytes(registers)


# 2,500 to 5,000 is where the estimate of the first paper is worst.
@pytest.mark.parametrize("size", [100, 700, 2_500, 3_500, 5_000, 20_000, 100_000])
@pytest.mark.parametrize("key", [b"monday", b"tuesday"])
def test_error_is_within_three_standard_errors(size: int, key: bytes) -> None:
    assert estimate(count(hashes(range(size), key))) == pytest.approx(size, rel=THREE_SIGMA)


def test_small_counts_are_exact() -> None:
    assert [estimate(count(hashes(range(size)))) for size in range(20)] == list(range(20))


def test_no_registers_are_no_values() -> None:
    assert estimate(b"") == 0
    assert estimate(empty()) == 0


@given(st.sets(st.integers(0, 3_000)), st.sets(st.integers(0, 3_000)))
def test_merged_registers_are_those_of_the_union(one: set[int], other: set[int]) -> None:
    merged = merge(count(hashes(one)), count(hashes(other)))
    assert merged == count(hashes(one | other))
    assert merge(merged, b"") == merge(b"", merged) == merged


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_merge_takes_the_larger_of_each(random: Random) -> None:
    one, other = (bytes(random.choices(range(MAX_RANK + 1), k=REGISTERS)) for _ in "ab")
    assert merge(one, other) == bytes(map(max, one, other))


@given(st.integers(0, 2**64 - 1))
def test_every_hash_fits(hashed: int) -> None:
    registers = count([hashed])
    assert is_valid(registers)
    assert len(registers) == REGISTERS
    assert estimate(registers) == 1


def test_extreme_hashes_are_counted() -> None:
    assert max(count([0])) == MAX_RANK
    assert estimate(count([0, 2**64 - 1])) >= 1
    assert estimate(bytes([MAX_RANK]) * REGISTERS) > 2**60


@pytest.mark.parametrize("registers", [b"\0", bytes(REGISTERS - 1), b"\xff" * REGISTERS])
def test_foreign_bytes_are_refused(registers: bytes) -> None:
    assert not is_valid(registers)
    with pytest.raises(ValueError, match="not the registers"):
        estimate(registers)
