"""Counts distinct values in 1 KiB: HyperLogLog with 1,024 registers.

A register keeps the longest run of zeros among the hashes that belong to it. So the registers of two counts
are merged by taking the larger one of each, and a value in both is counted once. The standard error of an
estimate is 3.3 %; small counts are nearly exact. The estimate is Ertl's, which needs neither tables nor a
range of its own for small counts: https://arxiv.org/abs/1702.01284, algorithm 6.
"""

from __future__ import annotations

from math import inf, log, sqrt
from typing import Final

_INDEX_BITS: Final = 10
_RANK_BITS: Final = 64 - _INDEX_BITS
REGISTERS: Final = 1 << _INDEX_BITS
"""Registers of a count, each a byte."""
MAX_RANK: Final = _RANK_BITS + 1
"""The largest value of a register."""
_INDEX: Final = REGISTERS - 1
_TOP_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")
_LOW_BITS: Final = int.from_bytes(b"\x7f" * REGISTERS, "little")
_ALPHA: Final = 1 / (2 * log(2))


def empty() -> bytearray:
    """The registers of no value."""
    return bytearray(REGISTERS)


def add(registers: bytearray, hash64: int) -> None:
    """Count a value by its hash: 64 uniformly distributed bits."""
    index = hash64 & _INDEX
    # The zeros on top of the other 54 bits, and one.
    rank = MAX_RANK - (hash64 >> _INDEX_BITS).bit_length()
    if rank > registers[index]:
        registers[index] = rank


def merge(one: bytes, other: bytes) -> bytes:
    """The registers of the values of both; ``b""`` are the registers of no value."""
    if not one or not other or one == other:
        return bytes(one or other)
    # Byte by byte this takes 170 µs, thousands of times for a batch under the lock of the database. As one
    # number each it takes 4: registers are below 128, so the top bit of each byte tells which is larger.
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    larger = ((a | _TOP_BITS) - b) & _TOP_BITS
    mask = larger - (larger >> 7)
    return (a & mask | b & (mask ^ _LOW_BITS)).to_bytes(REGISTERS, "little")


def estimate(registers: bytes | bytearray) -> int:
    """The number of distinct values that were counted; ``b""`` are the registers of no value."""
    if not registers:
        return 0
    if not is_valid(registers):
        raise ValueError("not the registers of a count")
    total = REGISTERS * _tau(1 - registers.count(MAX_RANK) / REGISTERS)
    for rank in range(_RANK_BITS, 0, -1):
        total = (total + registers.count(rank)) / 2
    total += REGISTERS * _sigma(registers.count(0) / REGISTERS)
    # All registers are full only if somebody made them so.
    return round(_ALPHA * REGISTERS * REGISTERS / total) if total else 1 << 64


def is_valid(registers: bytes | bytearray) -> bool:
    """Whether these are the registers of a count."""
    return not registers or (len(registers) == REGISTERS and max(registers) <= MAX_RANK)


def _sigma(x: float) -> float:
    if x == 1:
        return inf
    total, weight = x, 1.0
    while True:
        x *= x
        before = total
        total += x * weight
        weight *= 2
        if total == before:
            return total


def _tau(x: float) -> float:
    if x in (0, 1):
        return 0
    total, weight = 1 - x, 1.0
    while True:
        x = sqrt(x)
        before = total
        weight /= 2
        total -= (1 - x) ** 2 * weight
        if total == before:
            return total / 3
