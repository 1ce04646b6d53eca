"""Hosts under no listed suffix: names of one's own network, ``localhost`` left out."""

from __future__ import annotations

from functools import cache
from typing import Final

from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.hosts import HostGraph
from crossgate.lint.proof.labels import ways_out
from crossgate.lint.proof.suffixes import CharTree, suffix_tree

LOCALHOST: Final = "localhost"
_DIGITS: Final = "0123456789"


@cache
def _known() -> CharTree:
    tree = CharTree()
    for label in (*suffix_tree().children, LOCALHOST):
        tree.add(label)
    number = CharTree(label="a number")
    number.after.update(dict.fromkeys(_DIGITS, number))
    _add_numbers(tree, number)
    return tree


def _add_numbers(tree: CharTree, number: CharTree) -> None:
    """Let every text of digits below ``tree`` lead to a label; ``number`` loops on itself."""
    for digit in _DIGITS:
        longer = tree.after.setdefault(digit, number)
        if longer is not number:
            longer.label = longer.label or number.label
            _add_numbers(longer, number)


def find_internal(graph: HostGraph, budget: Budget) -> dict[str, int]:
    """Ends of internal names with where they begin, until each scheme that has any has one.

    All digits is no last label (URL, ends-in-a-number
    checker); that 0x and hexadecimal digits are none either is left to whoever makes an origin of it.
    """
    return ways_out(graph, graph.ends, _known(), budget)
