"""The registrable domains that the author of an expression spelled out.

``https://www.example.com`` spells out ``example.com``, though its dots admit other names: a bare dot that is
not repeated counts as a dot, every other token that leaves a character open as no character at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.hosts import HostGraph
from crossgate.lint.proof.internal import find_internal
from crossgate.lint.proof.suffixes import suffix_tree
from crossgate.lint.proof.walk import Walk


@dataclass(frozen=True, slots=True)
class Spelled:
    """Names that stand in the expression letter by letter."""

    domains: frozenset[str]
    internal: bool
    """Whether one of them stands under no listed suffix."""


def find_spelled(automaton: Automaton, budget: Budget) -> Spelled:
    """Read the expression once more, without what it leaves open."""
    graph = HostGraph(automaton, budget, spelled=True)
    walk = Walk(graph, budget, stop_when_open=False)
    domains = frozenset(walk.run(suffix_tree()).domains)
    return Spelled(domains, bool(find_internal(graph, budget)))
