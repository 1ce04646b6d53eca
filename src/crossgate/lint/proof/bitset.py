"""Sets of small numbers as integers: bit ``n`` is set if ``n`` is a member.

Python's integers make union, intersection and comparison of such sets one operation each, and they can be
keys of a dictionary. The types below keep sets of different things apart; the checker refuses to take one
for another. An operator gives a bare ``int``, so a result is given its type where it gets its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NewType

CharSet = NewType("CharSet", int)
"""ASCII characters, by code."""
ClassSet = NewType("ClassSet", int)
"""Character classes of an automaton, by number: characters that no token tells apart are one class."""
PositionSet = NewType("PositionSet", int)
"""Positions of a nondeterministic automaton, by number."""
NodeSet = NewType("NodeSet", int)
"""Nodes of a host graph, by number."""
State = NewType("State", int)
"""The number of a deterministic automaton's state; not a set."""

NO_NODES: Final = NodeSet(0)


def bits(mask: int) -> Iterator[int]:
    """The members of a set, in ascending order."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def bitset(numbers: Iterable[int]) -> int:
    """The set of these numbers."""
    found = 0
    for number in numbers:
        found |= 1 << number
    return found
