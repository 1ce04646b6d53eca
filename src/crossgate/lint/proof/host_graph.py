"""The hosts that an expression admits, as a graph that can be read from the right.

A node is a position of the expression that has just consumed a character of a host behind ``http://`` or
``https://``, and where in the host that character stands. All edges into a node therefore carry the same
characters, and the graph has only a few nodes for each position: no sets of positions are built that no
reading needs. Only nodes that some beginning of a host leads to exist. So whatever is read backwards up to a
place where a label begins can be completed on its left.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import DEAD, Automaton, CharKind, is_open
from crossgate.lint.proof.bitset import NO_NODES, CharSet, ClassSet, NodeSet, State, bits, bitset
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import ACCEPT
from crossgate.lint.proof.ports import Ports, find_colons
from crossgate.lint.proof.syntax_tree import AssertionKind

SCHEMES: Final = ("https", "http")
"""In order of preference for a witness."""


class Placeholder(IntEnum):
    """Stands for a character that the author left open, when only literal names are read.

    Each is a class of its own behind those of the characters. No name contains it.
    """

    WORD = 0
    OTHER = 1
    DOT = 2

    def klass(self, automaton: Automaton) -> int:
        """The number of its class."""
        return len(automaton.blocks) + self


class HostPlace(IntEnum):
    """Where in a host a character stands."""

    BEGIN = 0
    AFTER_DOT = 1
    INSIDE = 2


class HostNode(NamedTuple):
    """A position of the expression and a place in the host, for one scheme."""

    scheme: str
    place: HostPlace
    classes: ClassSet
    """The classes of the characters that lead here."""
    position: int
    """The position that consumed the last character; :data:`ACCEPT` at the beginning of a host."""
    kind: CharKind


class _Move(NamedTuple):
    """A kind of edge: a character of one of these classes, and where in the host it leads."""

    classes: ClassSet
    place: HostPlace
    kind: CharKind


class HostGraph:
    """Which node leads to which, forwards and backwards, and where a host may end.

    With ``literal_only`` just what the author spelled out is read. A literal stands for itself, and a bare
    dot that is not repeated for a dot. Every other token that leaves a character open is read as a
    :class:`Placeholder`. ``https://www.example.com`` then has the one host www.example.com.
    """

    def __init__(self, automaton: Automaton, budget: Budget, *, literal_only: bool = False) -> None:
        self.automaton = automaton
        self.budget = budget
        self.dot = automaton.class_of[ord(".")]
        self.label_classes = sorted(
            bits(automaton.classes_within(alphabet.LABEL)),
            key=lambda klass: (not automaton.exemplars[klass].isalnum(), self._is_punctuation(klass), klass),
        )
        """The classes of characters of a label, plain ones first."""
        self.ports = {scheme: Ports(automaton, scheme) for scheme in SCHEMES}
        self.nodes: list[HostNode] = []
        self.after: list[list[int]] = []
        """For each node those that a character leads to."""
        self._before: list[list[int]] = []
        self._numbers: dict[tuple[str, _Move], dict[int, int]] = {}
        self._backwards: dict[int, NodeSet] = {}
        self._classes_into: dict[NodeSet, ClassSet] = {}
        self._consumed = self._find_consumed(literal_only=literal_only)
        self._explore(self._find_moves())
        self._entered = self._find_entered()
        self.begins = self._nodes_at(HostPlace.BEGIN)
        self.label_starts = NodeSet(self.begins | self._nodes_at(HostPlace.AFTER_DOT))
        self.ends = self._find_ends()
        self.live = self._find_live()

    def _find_consumed(self, *, literal_only: bool) -> list[int]:
        """For each position the classes that it consumes in a host."""
        consumed = [0] * len(self.automaton.nfa.positions)
        for token, group in self.automaton.tokens.items():
            if literal_only and is_open(token.chars):
                classes = self._placeholders(token.chars, is_bare_dot=token.is_bare_dot)
            else:
                classes = self.automaton.classes_within(token.chars & alphabet.HOST)
            for position in group:
                consumed[position] = classes
        return consumed

    def _placeholders(self, chars: CharSet, *, is_bare_dot: bool) -> ClassSet:
        dot, label = chars & alphabet.DOT, chars & alphabet.LABEL
        found = 0
        if dot:
            found |= 1 << (self.dot if is_bare_dot else Placeholder.DOT.klass(self.automaton))
        if label & alphabet.WORD:
            found |= 1 << Placeholder.WORD.klass(self.automaton)
        if label & ~alphabet.WORD:
            found |= 1 << Placeholder.OTHER.klass(self.automaton)
        return ClassSet(found)

    def _find_moves(self) -> tuple[_Move, ...]:
        automaton = self.automaton
        placeholders = {placeholder: 1 << placeholder.klass(automaton) for placeholder in Placeholder}
        word = bitset(klass for klass in self.label_classes if automaton.kinds[klass] is CharKind.WORD)
        word |= placeholders[Placeholder.WORD]
        other = bitset(klass for klass in self.label_classes if automaton.kinds[klass] is not CharKind.WORD)
        other |= placeholders[Placeholder.OTHER]
        # The dot comes first: the shortest prefix of a witness is then the one with most labels.
        dot_classes = ClassSet(1 << self.dot | placeholders[Placeholder.DOT])
        dot = _Move(dot_classes, HostPlace.AFTER_DOT, CharKind.OTHER)
        boundaries = {AssertionKind.WORD_BOUNDARY, AssertionKind.NO_WORD_BOUNDARY}
        if boundaries.isdisjoint(automaton.assertions.values()):
            return dot, _Move(ClassSet(word | other), HostPlace.INSIDE, CharKind.OTHER)
        return (
            dot,
            _Move(ClassSet(word), HostPlace.INSIDE, CharKind.WORD),
            _Move(ClassSet(other), HostPlace.INSIDE, CharKind.OTHER),
        )

    def _explore(self, moves: tuple[_Move, ...]) -> None:
        for scheme in SCHEMES:
            state = self.automaton.run(f"{scheme}://")
            if state != DEAD:
                self._add(HostNode(scheme, HostPlace.BEGIN, ClassSet(0), ACCEPT, CharKind.OTHER))
        for number, node in enumerate(self.nodes):  # the list grows meanwhile
            for move in moves:
                if move.place is HostPlace.AFTER_DOT and node.place is not HostPlace.INSIDE:
                    continue
                self._follow(number, node, move)
            self.budget.spend(2 + len(self.after[number]))

    def _follow(self, number: int, node: HostNode, move: _Move) -> None:
        known = self._numbers.setdefault((node.scheme, move), {})
        after = self.after[number]
        for position in self._pending(node, move.kind):
            classes = self._consumed[position] & move.classes
            if classes:
                target = known.get(position)
                if target is None:
                    new = HostNode(node.scheme, move.place, ClassSet(classes), position, move.kind)
                    target = known[position] = self._add(new)
                after.append(target)
                self._before[target].append(number)

    def _add(self, node: HostNode) -> int:
        self.nodes.append(node)
        self.after.append([])
        self._before.append([])
        return len(self.nodes) - 1

    def _pending(self, node: HostNode, after: CharKind) -> Iterable[int]:
        """The positions that may consume the next character, which is of the kind ``after``."""
        if node.place is not HostPlace.BEGIN:
            follow = self.automaton.nfa.positions[node.position].follow
            assertions = self.automaton.assertions
            if not assertions or assertions.keys().isdisjoint(follow):
                return follow
        return bits(self.automaton.pending(self.state(node), after))

    def state(self, node: HostNode) -> State:
        """The state of the automaton at a node."""
        if node.place is HostPlace.BEGIN:
            return self.automaton.run(f"{node.scheme}://")
        return self.automaton.state_after(node.position, node.kind)

    def _find_entered(self) -> dict[int, int]:
        """For each class the nodes that a character of it leads to."""
        groups: dict[ClassSet, list[int]] = {}
        for number, node in enumerate(self.nodes):
            groups.setdefault(node.classes, []).append(number)
        entered: dict[int, int] = {}
        for classes, group in groups.items():
            nodes = bitset(group)
            for klass in bits(classes):
                entered[klass] = entered.get(klass, 0) | nodes
        return entered

    def _nodes_at(self, place: HostPlace) -> NodeSet:
        return NodeSet(bitset(number for number, node in enumerate(self.nodes) if node.place is place))

    def _find_ends(self) -> NodeSet:
        """The nodes at which the host may end; the root's dot is not counted as part of the host."""
        complete = [
            number
            for number, node in enumerate(self.nodes)
            if node.place is not HostPlace.BEGIN and (self._accepts(node) or self.count_ports(node))
        ]
        before_root = bitset(number for number in complete if self.nodes[number].place is HostPlace.AFTER_DOT)
        self.rooted = self.back(NodeSet(before_root), self.dot)
        """The nodes at which a host with the root's dot ends."""
        inside = bitset(number for number in complete if self.nodes[number].place is HostPlace.INSIDE)
        return NodeSet(inside | self.rooted)

    def _accepts(self, node: HostNode) -> bool:
        return ACCEPT in self._pending(node, CharKind.EDGE)

    @cached_property
    def _colons(self) -> frozenset[int]:
        return find_colons(self.automaton)

    def count_ports(self, node: HostNode) -> int:
        """How many ports may follow a host that ends in the node; a missing port is not counted."""
        if not self._colons or self._colons.isdisjoint(self._pending(node, CharKind.OTHER)):
            return 0
        return self.ports[node.scheme].count(self.state(node))

    def _find_live(self) -> NodeSet:
        """The nodes from which some end can be reached."""
        queue = list(bits(self.ends))
        seen = set(queue)
        for node in queue:
            fresh = [earlier for earlier in self._before[node] if earlier not in seen]
            seen.update(fresh)
            queue.extend(dict.fromkeys(fresh))
        return NodeSet(bitset(queue))

    def back(self, nodes: NodeSet, klass: int) -> NodeSet:
        """The nodes from which a character of the class leads into ``nodes``."""
        entered = nodes & self._entered.get(klass, 0)
        if entered & (entered - 1) == 0:
            # Of a long list of names most sets have one node: a memory of them would grow with its square.
            return NodeSet(bitset(self._before[entered.bit_length() - 1])) if entered else NO_NODES
        known = self._backwards.get(entered)
        if known is None:
            self.budget.spend(2 + (entered.bit_count() >> 2))
            before = 0
            for node in bits(entered):
                for earlier in self._before[node]:
                    before |= 1 << earlier
            known = self._backwards[entered] = NodeSet(before)
        return known

    def read_back(self, nodes: NodeSet, label: str) -> NodeSet:
        """The nodes from which an ASCII label leads into ``nodes``."""
        for char in reversed(label):
            nodes = self.back(nodes, self.automaton.class_of[ord(char)])
        return nodes

    def starts_of(self, label: str, nodes: NodeSet) -> NodeSet:
        """The label starts from which an ASCII label leads into ``nodes``."""
        return NodeSet(self.read_back(nodes, label) & self.label_starts)

    def entered_by(self, classes: ClassSet) -> NodeSet:
        """The nodes that a character of some of the classes leads to."""
        found = 0
        for klass in bits(classes):
            found |= self._entered.get(klass, 0)
        return NodeSet(found)

    def classes_into(self, nodes: NodeSet) -> ClassSet:
        """The classes of which some character leads into ``nodes``."""
        if nodes & (nodes - 1) == 0:
            return self.nodes[nodes.bit_length() - 1].classes if nodes else ClassSet(0)
        known = self._classes_into.get(nodes)
        if known is None:
            known = ClassSet(bitset(klass for klass, entered in self._entered.items() if nodes & entered))
            self._classes_into[nodes] = known
        return known

    def rank(self, node: int) -> int:
        """The plainer the character that leads to the node, the lower; dots come first."""
        found = self._plainest(self.nodes[node].classes)
        return -1 if found is None or found == self.dot else self.label_classes.index(found)

    def character(self, node: int, *, plain: bool) -> str | None:
        """The plainest character that leads to the node; None if it is punctuation and must be ``plain``."""
        klass = self._plainest(self.nodes[node].classes)
        if klass is None or (plain and self._is_punctuation(klass)):
            return None
        return self.automaton.exemplars[klass]

    def _plainest(self, classes: ClassSet) -> int | None:
        return next((klass for klass in (self.dot, *self.label_classes) if classes >> klass & 1), None)

    def _is_punctuation(self, klass: int) -> bool:
        return bool(self.automaton.blocks[klass] & alphabet.PUNCTUATION)

    def ends_in(self, chars: str) -> bool:
        """Whether the last character of some host is one of these."""
        return any(self.back(self.ends, self.automaton.class_of[ord(char)]) for char in chars)

    @cached_property
    def _of_scheme(self) -> dict[str, NodeSet]:
        return {
            scheme: NodeSet(bitset(n for n, node in enumerate(self.nodes) if node.scheme == scheme))
            for scheme in SCHEMES
        }

    def nodes_of(self, scheme: str) -> NodeSet:
        """The nodes of hosts under one scheme."""
        return self._of_scheme[scheme]
