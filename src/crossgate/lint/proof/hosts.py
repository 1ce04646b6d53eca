"""The hosts that an expression admits, as a graph to be read from the right.

A node is a position of the expression that has just consumed a character of a host, behind ``http://`` or
``https://``: a dot, or a character of a label. So every way into a node has the same characters, there are
no more nodes than a few for each token, and no set of positions is made that no reading asks for. Only nodes
that some beginning of a host leads to exist; so whatever reads backwards to a place where a label begins
has something to stand on its left. Sets of nodes, and of classes of characters, are integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import DEAD, Automaton, Mark, Side, as_set, bits
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT
from crossgate.lint.proof.ports import Ports, find_colons
from crossgate.lint.proof.spelling import host_classes, mark_class
from crossgate.lint.proof.tree import Gap

SCHEMES: Final = ("https", "http")
"""In order of preference for a witness."""


class Spot(IntEnum):
    """Where in a host."""

    BEGIN = 0
    AFTER_DOT = 1
    INSIDE = 2


class Node(NamedTuple):
    """A place in the expression and in the host, for one scheme, and which classes lead to it."""

    scheme: str
    spot: Spot
    classes: int
    position: int
    """That consumed the last character; none has at the beginning of a host."""
    side: Side


class _Way(NamedTuple):
    """A kind of step: a character of one of these classes, and where in the host it leads."""

    classes: int
    spot: Spot
    side: Side


class HostGraph:
    """What leads where, forwards and backwards, and where a host may end.

    With ``spelled`` only what the author spelled out is read as characters; see
    :mod:`crossgate.lint.proof.spelling`.
    """

    def __init__(self, automaton: Automaton, budget: Budget, *, spelled: bool = False) -> None:
        self.automaton = automaton
        self.budget = budget
        self.dot = automaton.class_of[ord(".")]
        label_classes = bits(automaton.classes_within(alphabet.LABEL))
        self.label_classes = sorted(
            label_classes,
            key=lambda klass: (not automaton.exemplars[klass].isalnum(), self.is_punctuation(klass), klass),
        )
        self.ports = {scheme: Ports(automaton, scheme) for scheme in SCHEMES}
        self.nodes: list[Node] = []
        self.after: list[list[int]] = []
        """For each node those that a character leads to."""
        self._before: list[list[int]] = []
        self._numbers: dict[tuple[str, _Way], dict[int, int]] = {}
        self._backwards: dict[int, int] = {}
        self._classes_into: dict[int, int] = {}
        self._taken = self._find_taken(spelled=spelled)
        self._explore(self._find_ways())
        self._into = self._find_into()
        self.begins = self._nodes_at(Spot.BEGIN)
        self.label_starts = self.begins | self._nodes_at(Spot.AFTER_DOT)
        self.ends = self._find_ends()
        self.live = self._find_live()

    def _find_taken(self, *, spelled: bool) -> list[int]:
        """For each position the classes that it consumes in a host."""
        taken = [0] * len(self.automaton.nfa.positions)
        for (chars, any_char, quantified), group in self.automaton.tokens.items():
            bare_dot = any_char and not quantified
            classes = host_classes(self.automaton, chars, bare_dot=bare_dot, spelled=spelled)
            for position in group:
                taken[position] = classes
        return taken

    def _find_ways(self) -> tuple[_Way, ...]:
        automaton = self.automaton
        marks = {mark: 1 << mark_class(automaton, mark) for mark in Mark}
        word = as_set(k for k in self.label_classes if automaton.sides[k] is Side.WORD) | marks[Mark.WORD]
        other = as_set(k for k in self.label_classes if automaton.sides[k] is not Side.WORD)
        other |= marks[Mark.OTHER]
        # The dot comes first: the shortest text is then the one with most labels.
        dot = _Way(1 << self.dot | marks[Mark.DOT], Spot.AFTER_DOT, Side.OTHER)
        if {Gap.WORD_BOUNDARY, Gap.NO_WORD_BOUNDARY}.isdisjoint(automaton.conditions.values()):
            return dot, _Way(word | other, Spot.INSIDE, Side.OTHER)
        return dot, _Way(word, Spot.INSIDE, Side.WORD), _Way(other, Spot.INSIDE, Side.OTHER)

    def _explore(self, ways: tuple[_Way, ...]) -> None:
        for scheme in SCHEMES:
            state = self.automaton.run(f"{scheme}://")
            if state != DEAD:
                self._add(Node(scheme, Spot.BEGIN, 0, ACCEPT, Side.OTHER))
        for number, node in enumerate(self.nodes):  # grows as it is walked
            for way in ways:
                if way.spot is Spot.AFTER_DOT and node.spot is not Spot.INSIDE:
                    continue
                self._follow(number, node, way)
            self.budget.spend(2 + len(self.after[number]))

    def _follow(self, number: int, node: Node, way: _Way) -> None:
        known = self._numbers.setdefault((node.scheme, way), {})
        after = self.after[number]
        for position in self._pending(node, way.side):
            classes = self._taken[position] & way.classes
            if classes:
                target = known.get(position)
                if target is None:
                    target = self._add(Node(node.scheme, way.spot, classes, position, way.side))
                    known[position] = target
                after.append(target)
                self._before[target].append(number)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        self.after.append([])
        self._before.append([])
        return len(self.nodes) - 1

    def _pending(self, node: Node, after: Side) -> Iterable[int]:
        """The positions that may consume the next character, which is of that side."""
        if node.spot is not Spot.BEGIN:
            follow = self.automaton.nfa.positions[node.position].follow
            conditions = self.automaton.conditions
            if not conditions or conditions.keys().isdisjoint(follow):
                return follow
        return bits(self.automaton.pending(self.state(node), after))

    def state(self, node: Node) -> int:
        """The state of the automaton at a node."""
        if node.spot is Spot.BEGIN:
            return self.automaton.run(f"{node.scheme}://")
        return self.automaton.after(node.position, node.side)

    def _find_into(self) -> dict[int, int]:
        """For each class the nodes that a character of it leads to."""
        groups: dict[int, list[int]] = {}
        for number, node in enumerate(self.nodes):
            groups.setdefault(node.classes, []).append(number)
        into: dict[int, int] = {}
        for classes, group in groups.items():
            nodes = as_set(group)
            for klass in bits(classes):
                into[klass] = into.get(klass, 0) | nodes
        return into

    def _nodes_at(self, spot: Spot) -> int:
        return as_set(number for number, node in enumerate(self.nodes) if node.spot is spot)

    def _find_ends(self) -> int:
        """The nodes at which the host may be over, the root's dot not counted as part of it."""
        complete = [
            number
            for number, node in enumerate(self.nodes)
            if node.spot is not Spot.BEGIN and (self._accepts(node) or self.count_ports(node))
        ]
        rooted = as_set(number for number in complete if self.nodes[number].spot is Spot.AFTER_DOT)
        self.rooted = self.back(rooted, self.dot)
        return as_set(number for number in complete if self.nodes[number].spot is Spot.INSIDE) | self.rooted

    def _accepts(self, node: Node) -> bool:
        return ACCEPT in self._pending(node, Side.EDGE)

    @cached_property
    def _colons(self) -> frozenset[int]:
        return find_colons(self.automaton)

    def count_ports(self, node: Node) -> int:
        """How many ports may follow a host that ends in the node; no port is not counted."""
        if not self._colons or self._colons.isdisjoint(self._pending(node, Side.OTHER)):
            return 0
        return self.ports[node.scheme].count(self.state(node))

    def _find_live(self) -> int:
        """The nodes from which some end can be reached."""
        queue = list(bits(self.ends))
        seen = set(queue)
        for node in queue:
            fresh = [earlier for earlier in self._before[node] if earlier not in seen]
            seen.update(fresh)
            queue.extend(dict.fromkeys(fresh))
        return as_set(queue)

    def back(self, nodes: int, klass: int) -> int:
        """The nodes from which a character of the class leads into ``nodes``."""
        entered = nodes & self._into.get(klass, 0)
        if entered & (entered - 1) == 0:
            # Of a long list of names most sets are one node: to remember all would take its square.
            return as_set(self._before[entered.bit_length() - 1]) if entered else 0
        known = self._backwards.get(entered)
        if known is None:
            self.budget.spend(2 + (entered.bit_count() >> 2))
            known = 0
            for node in bits(entered):
                for earlier in self._before[node]:
                    known |= 1 << earlier
            self._backwards[entered] = known
        return known

    def entered_by(self, classes: int) -> int:
        """The nodes that a character of some of the classes leads to."""
        found = 0
        for klass in bits(classes):
            found |= self._into.get(klass, 0)
        return found

    def classes_into(self, nodes: int) -> int:
        """The classes, as a set, of which some character leads into ``nodes``."""
        if nodes & (nodes - 1) == 0:
            return self.nodes[nodes.bit_length() - 1].classes if nodes else 0
        known = self._classes_into.get(nodes)
        if known is None:
            known = as_set(klass for klass, entered in self._into.items() if nodes & entered)
            self._classes_into[nodes] = known
        return known

    def read_back(self, nodes: int, label: str) -> int:
        """The nodes from which an ASCII label leads into ``nodes``."""
        for char in reversed(label):
            nodes = self.back(nodes, self.automaton.class_of[ord(char)])
        return nodes

    def rank(self, node: int) -> int:
        """The plainer the character that leads to the node, the lower; dots come first."""
        found = self._plainest(self.nodes[node].classes)
        return -1 if found is None or found == self.dot else self.label_classes.index(found)

    def character(self, node: int, *, plain: bool) -> str | None:
        """The plainest character that leads to the node; None if it has to be plain and is not."""
        klass = self._plainest(self.nodes[node].classes)
        if klass is None or (plain and self.is_punctuation(klass)):
            return None
        return self.automaton.exemplars[klass]

    def _plainest(self, classes: int) -> int | None:
        return next((klass for klass in (self.dot, *self.label_classes) if classes >> klass & 1), None)

    def ends_in(self, chars: str) -> bool:
        """Whether the last character of some host is one of these."""
        return any(self.back(self.ends, self.automaton.class_of[ord(char)]) for char in chars)

    def is_punctuation(self, klass: int) -> bool:
        """Whether the class is of characters that no name in the public DNS has."""
        return bool(self.automaton.blocks[klass] & alphabet.PUNCTUATION)

    @cached_property
    def _of_scheme(self) -> dict[str, int]:
        return {
            scheme: as_set(number for number, node in enumerate(self.nodes) if node.scheme == scheme)
            for scheme in SCHEMES
        }

    def nodes_of(self, scheme: str) -> int:
        """The nodes of hosts under one scheme, as a set."""
        return self._of_scheme[scheme]
