"""The hosts that an expression admits, as a graph to be read from the right.

A node is a state of the expression behind ``http://`` or ``https://`` together with the place in the host:
at its very beginning, after a dot, or inside a label. Only nodes that some beginning of a host leads to
exist; so whatever reads backwards to a place where a label begins has something to stand on its left.
Sets of nodes are integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import DEAD, Automaton, Mark, bits
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.ports import Ports

SCHEMES: Final = ("https", "http")
"""In order of preference for a witness."""


class Spot(IntEnum):
    """Where in a host."""

    BEGIN = 0
    AFTER_DOT = 1
    INSIDE = 2


@dataclass(frozen=True, slots=True)
class Node:
    """A state of the expression at a place of a host, for one scheme."""

    scheme: str
    state: int
    spot: Spot


class HostGraph:
    """What leads where, forwards and backwards, and where a host may end.

    With ``spelled`` only what the author spelled out is read as characters; see
    :meth:`Automaton.spell`.
    """

    def __init__(self, automaton: Automaton, budget: Budget, *, spelled: bool = False) -> None:
        self.automaton = automaton
        self.budget = budget
        self._spelled = spelled
        self.dot = automaton.class_of[ord(".")]
        label_codes = bits(alphabet.LABEL)
        classes = {automaton.class_of[code] for code in label_codes}
        self.label_classes = sorted(
            classes,
            key=lambda klass: (not automaton.exemplars[klass].isalnum(), self.is_punctuation(klass), klass),
        )
        self.nodes: list[Node] = []
        self.ways: list[list[tuple[int, int]]] = []
        """For each node the classes that lead on, and whither; marks have negative numbers."""
        self.ports = {scheme: Ports(automaton, scheme) for scheme in SCHEMES}
        self._numbers: dict[Node, int] = {}
        self._back: dict[int, dict[int, int]] = {}
        self._before: dict[int, int] = {}
        self._into: dict[int, int] = {}
        self._backwards: dict[tuple[int, int], int] = {}
        self.begins = 0
        self.after_dots = 0
        self._of_scheme: dict[str, int] = {}
        self._explore()
        self.label_starts = self.begins | self.after_dots
        self.ends = self._find_ends()
        self.live = self._find_live()

    def _explore(self) -> None:
        for scheme in SCHEMES:
            state = self.automaton.run(f"{scheme}://")
            if state != DEAD:
                self._number(Node(scheme, state, Spot.BEGIN))
        for number, node in enumerate(self.nodes):  # grows as it is walked
            ways = []
            for klass, state, spot in self._steps(node):
                target = self._number(Node(node.scheme, state, spot))
                ways.append((klass, target))
                column = self._back.setdefault(klass, {})
                column[target] = column.get(target, 0) | 1 << number
                if klass >= 0:
                    self._into[target] = self._into.get(target, 0) | 1 << klass
                self._before[target] = self._before.get(target, 0) | 1 << number
            self.ways.append(ways)

    def _number(self, node: Node) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self._of_scheme[node.scheme] = self._of_scheme.get(node.scheme, 0) | 1 << number
            self.begins |= (node.spot is Spot.BEGIN) << number
            self.after_dots |= (node.spot is Spot.AFTER_DOT) << number
        return number

    def _steps(self, node: Node) -> Iterator[tuple[int, int, Spot]]:
        step = self.automaton.spell if self._spelled else self.automaton.step
        self.budget.spend(len(self.label_classes) >> 2)
        # The dot comes first: the shortest text is then the one with most labels.
        if node.spot is Spot.INSIDE:
            after = step(node.state, self.dot)
            if after != DEAD:
                yield self.dot, after, Spot.AFTER_DOT
        live = self.automaton.live_classes(node.state)
        for klass in self.label_classes:
            after = step(node.state, klass) if live >> klass & 1 else DEAD
            if after != DEAD:
                yield klass, after, Spot.INSIDE
        if self._spelled:
            yield from self._marked_steps(node)

    def _marked_steps(self, node: Node) -> Iterator[tuple[int, int, Spot]]:
        for mark in Mark:
            if mark is Mark.DOT and node.spot is not Spot.INSIDE:
                continue
            after = self.automaton.spell_mark(node.state, mark)
            if after != DEAD:
                yield -1 - mark, after, Spot.AFTER_DOT if mark is Mark.DOT else Spot.INSIDE

    def _find_ends(self) -> int:
        """The nodes at which the host may be over, the root's dot not counted as part of it."""
        complete = 0
        for number, node in enumerate(self.nodes):
            if node.spot is Spot.BEGIN:
                continue
            if self.automaton.accepts(node.state) or self.ports[node.scheme].count(node.state):
                complete |= 1 << number
        inside = ~self.label_starts
        self.rooted = self.back(complete & self.after_dots, self.dot)
        return (complete & inside) | self.rooted

    def _find_live(self) -> int:
        """The nodes from which some end can be reached."""
        live, queue = self.ends, list(bits(self.ends))
        for node in queue:
            fresh = self._before.get(node, 0) & ~live
            live |= fresh
            queue.extend(bits(fresh))
        return live

    def back(self, nodes: int, klass: int) -> int:
        """The nodes from which a character of the class leads into ``nodes``."""
        if not nodes:
            return 0
        key = (nodes, klass)
        known = self._backwards.get(key)
        if known is None:
            column = self._back.get(klass, {})
            self.budget.spend(1 + (nodes.bit_count() >> 3))
            known = 0
            for node in bits(nodes):
                known |= column.get(node, 0)
            self._backwards[key] = known
        return known

    def classes_into(self, nodes: int) -> int:
        """The classes, as a set, of which some character leads into ``nodes``."""
        found = 0
        for node in bits(nodes):
            found |= self._into.get(node, 0)
        return found

    def read_back(self, nodes: int, label: str) -> int:
        """The nodes from which an ASCII label leads into ``nodes``."""
        for char in reversed(label):
            nodes = self.back(nodes, self.automaton.class_of[ord(char)])
        return nodes

    def ends_in(self, chars: str) -> bool:
        """Whether the last character of some host is one of these."""
        return any(self.back(self.ends, self.automaton.class_of[ord(char)]) for char in chars)

    def is_punctuation(self, klass: int) -> bool:
        """Whether the class is of characters that no name in the public DNS has."""
        return klass >= 0 and bool(self.automaton.blocks[klass] & alphabet.PUNCTUATION)

    def nodes_of(self, scheme: str) -> int:
        """The nodes of hosts under one scheme, as a set."""
        return self._of_scheme.get(scheme, 0)
