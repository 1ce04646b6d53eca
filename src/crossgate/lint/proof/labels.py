"""The language of one label: the strings between a given set of nodes and the dot on their left.

A label is here one that a registry gives out: letters, digits and inner hyphens, at most 63 characters
(RFC 1035, §2.3.1: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.1). Names that companies give to their
customers may have underscores besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.bitset import CharSet, ClassSet, NodeSet, bits, bitset
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.host_graph import SCHEMES, HostGraph
from crossgate.lint.proof.suffix_trie import LabelTrie

LONGEST: Final = 63
MOST_WORDS: Final = 4096
"""A language with more labels is treated as infinite: no author has listed its names."""
_SAMPLES: Final = 3
"""How many ways to the same node are followed when examples are collected."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A class of characters, and those of them that a label may contain."""

    klass: int
    chars: CharSet
    outer: bool
    """Whether a label may begin and end with it."""


def registry_letters(graph: HostGraph) -> Iterator[Letter]:
    """The letters of labels that a registry gives out."""
    for klass, block in _label_blocks(graph):
        if block & alphabet.ALNUM:
            yield Letter(klass, block, outer=True)
        elif block & alphabet.HYPHEN:
            yield Letter(klass, block, outer=False)


def company_letters(graph: HostGraph) -> Iterator[Letter]:
    """The letters of labels that a company gives to its customers."""
    yield from registry_letters(graph)
    for klass, block in _label_blocks(graph):
        if block & alphabet.UNDERSCORE:
            yield Letter(klass, block, outer=True)


def browser_letters(graph: HostGraph) -> Iterator[Letter]:
    """The letters of labels that a browser may send."""
    for klass, block in _label_blocks(graph):
        yield Letter(klass, block, outer=True)


def _label_blocks(graph: HostGraph) -> Iterator[tuple[int, CharSet]]:
    return ((klass, graph.automaton.blocks[klass]) for klass in graph.label_classes)


class LabelReader:
    """Answers which labels can be read backwards from a set of nodes."""

    def __init__(self, graph: HostGraph, letters: Iterable[Letter], budget: Budget) -> None:
        self._graph = graph
        self._budget = budget
        self._letters = tuple(letters)
        self._every = ClassSet(bitset(letter.klass for letter in self._letters))
        self._outer = ClassSet(bitset(letter.klass for letter in self._letters if letter.outer))
        self._words: dict[NodeSet, tuple[tuple[str, NodeSet], ...]] = {}
        self._totals: dict[NodeSet, int] = {}
        self._counts: dict[tuple[int, int], int] = {}

    @cached_property
    def _distance(self) -> dict[int, int]:
        """The nodes inside of labels, each with its shortest distance from the beginning of a label."""
        nodes, after = self._graph.nodes, self._graph.after
        distance = {
            target: 1
            for start in bits(self._graph.label_starts)
            for target in after[start]
            if nodes[target].classes & self._outer
        }
        queue = list(distance)
        for number in queue:
            self._budget.spend(1 + (len(after[number]) >> 2))
            for target in after[number]:
                if target not in distance and nodes[target].classes & self._every:
                    distance[target] = distance[number] + 1
                    queue.append(target)
        return distance

    @cached_property
    def _inside(self) -> NodeSet:
        return NodeSet(bitset(self._distance))

    @cached_property
    def _endless(self) -> NodeSet:
        """The nodes at which infinitely many labels end, because a cycle lies on a way to them.

        They are left over when nodes without predecessor are removed repeatedly (Kahn's algorithm).
        """
        inside = self._distance
        after = {number: [to for to in self._graph.after[number] if to in inside] for number in inside}
        ways_in = Counter(target for targets in after.values() for target in targets)
        queue = [number for number in inside if number not in ways_in]
        for number in queue:
            for target in after[number]:
                ways_in[target] -= 1
                if not ways_in[target]:
                    queue.append(target)
        return NodeSet(bitset(inside.keys() - set(queue)) & self._graph.entered_by(self._outer))

    def is_infinite(self, nodes: NodeSet) -> bool:
        """Whether there are infinitely many labels."""
        return bool(nodes & self._endless)

    def _steps(self, nodes: NodeSet, *, last: bool) -> Iterator[tuple[Letter, NodeSet]]:
        """The letters that lead into the nodes from inside of a label, each with the nodes it leads from.

        ``last`` if the letter is the last of its label.
        """
        inside = NodeSet(nodes & self._inside)
        wanted = self._graph.classes_into(inside) & (self._outer if last else self._every)
        for letter in self._letters:
            if wanted >> letter.klass & 1:
                yield letter, self._graph.back(inside, letter.klass)

    def count(self, nodes: NodeSet) -> int:
        """How many labels there are; some number above :data:`MOST_WORDS` if there are more than that."""
        known = self._totals.get(nodes)
        if known is None:
            known = MOST_WORDS + 1 if self.is_infinite(nodes) else self._count(nodes, LONGEST, last=True)
            self._totals[nodes] = known
        return known

    def _count(self, nodes: NodeSet, length: int, *, last: bool = False) -> int:
        if not self._fits(nodes, length):
            return 0
        key = (nodes, length * 2 + last)
        known = self._counts.get(key)
        if known is not None:
            return known
        ways: dict[NodeSet, tuple[int, int]] = {}
        for letter, before in self._steps(nodes, last=last):
            self._budget.spend(2)
            chars = letter.chars.bit_count()
            inner, outer = ways.get(before, (0, 0))
            ways[before] = (inner + chars, outer + chars * letter.outer)
        total = 0
        for before, (chars, outer) in ways.items():
            total += chars * self._count(before, length - 1)
            total += outer if before & self._graph.label_starts else 0
            if total > MOST_WORDS:
                break
        if nodes & (nodes - 1):
            # A single node is counted again: a memory of those would grow with the square of a list of names.
            self._counts[key] = total
        return total

    def _fits(self, nodes: NodeSet, length: int) -> bool:
        """Whether some label of at most so many characters ends in the nodes."""
        distance = self._distance
        return any(distance.get(node, LONGEST + 1) <= length for node in bits(nodes & self._inside))

    def words(self, nodes: NodeSet) -> tuple[tuple[str, NodeSet], ...]:
        """Every label of a finite language, shortest first, with the label starts it leads to."""
        known = self._words.get(nodes)
        if known is None:
            known = self._words[nodes] = tuple(self._read_words(nodes))
        return known

    def _read_words(self, nodes: NodeSet) -> Iterator[tuple[str, NodeSet]]:
        layer, room = {nodes: [""]}, LONGEST
        while layer:
            room -= 1
            longer: dict[NodeSet, list[str]] = {}
            for reached, tails in layer.items():
                for letter, before in self._steps(reached, last=room == LONGEST - 1):
                    words = [char + tail for char in alphabet.members(letter.chars) for tail in tails]
                    self._budget.spend(2 + (len(words) >> 2))
                    starts = NodeSet(before & self._graph.label_starts if letter.outer else 0)
                    if starts:
                        yield from ((word, starts) for word in words)
                    if self._fits(before, room):
                        longer.setdefault(before, []).extend(words)
            layer = longer

    def samples(self, nodes: NodeSet) -> Iterator[tuple[str, NodeSet]]:
        """Some labels, shortest first, in the form of :meth:`words`; also of infinite languages."""
        seen = [0] * _SAMPLES
        layer = [("", nodes)]
        for _ in range(LONGEST):
            longer = []
            for tail, reached in layer:
                for letter, before in self._steps(reached, last=not tail):
                    self._budget.spend(2)
                    label = self._graph.automaton.exemplars[letter.klass] + tail
                    if letter.outer and before & self._graph.label_starts:
                        # `before` is not complete: not all ways to the nodes were followed.
                        yield label, self._graph.starts_of(label, nodes)
                    fresh = NodeSet(before & self._inside & ~seen[-1])
                    if fresh:
                        _see(seen, fresh)
                        longer.append((label, fresh))
            layer = longer

    def unlisted(self, nodes: NodeSet, listed: LabelTrie) -> Iterator[tuple[str, NodeSet]]:
        """Labels outside of ``listed``, until every label start that one leads to has come with one."""
        seen: dict[int, int] = {}
        begun: dict[int, int] = {}
        queue: list[tuple[str, NodeSet, LabelTrie | None]] = [("", nodes, listed)]
        for tail, reached, trie in queue:
            for letter, before in self._steps(reached, last=not tail):
                for char, child in _divide(letter.chars, trie):
                    self._budget.spend(4)
                    key = id(child)
                    fresh = NodeSet(before & self._inside & ~seen.get(key, 0))
                    if fresh:
                        seen[key] = seen.get(key, 0) | fresh
                        queue.append((char + tail, fresh, child))
                    starts = NodeSet(before & self._graph.label_starts & ~begun.get(key, 0))
                    if starts and letter.outer and (child is None or child.label is None):
                        begun[key] = begun.get(key, 0) | starts
                        yield char + tail, starts


def _see(seen: list[int], nodes: NodeSet) -> None:
    """Count the nodes as seen once more; ``seen[n]`` are those that were seen more than ``n`` times."""
    for times in range(len(seen) - 1, 0, -1):
        seen[times] |= seen[times - 1] & nodes
    seen[0] |= nodes


def _leave(
    graph: HostGraph, nodes: NodeSet, listed: LabelTrie, budget: Budget
) -> Iterator[tuple[str, NodeSet]]:
    """Ends of labels that a browser may send and that are not in ``listed``.

    Each comes with the nodes at which it begins. These need not be label starts: every node can be completed
    on its left. Every node at which such an end begins is in one of the sets.
    """
    seen: dict[int, int] = {}
    queue = [("", nodes, listed)]
    for tail, reached, trie in queue:
        for klass in graph.label_classes:
            before = graph.back(reached, klass)
            if not before:
                continue
            for char, child in _divide(graph.automaton.blocks[klass], trie):
                if child is None:
                    yield char + tail, before
                    continue
                fresh = NodeSet(before & ~seen.get(id(child), 0))
                if fresh:
                    budget.spend(4)
                    seen[id(child)] = seen.get(id(child), 0) | fresh
                    queue.append((char + tail, fresh, child))
                    starts = NodeSet(fresh & graph.label_starts)
                    if child.label is None and starts:
                        yield char + tail, starts


def unlisted_ends(graph: HostGraph, nodes: NodeSet, listed: LabelTrie, budget: Budget) -> dict[str, NodeSet]:
    """For each scheme one end of a label that is not in ``listed``, with the nodes at which it begins."""
    found: dict[str, NodeSet] = {}
    for scheme in SCHEMES:
        under = NodeSet(nodes & graph.nodes_of(scheme))
        for tail, starts in _leave(graph, under, listed, budget):
            found[tail] = NodeSet(found.get(tail, 0) | starts)
            break
    return found


def _divide(chars: CharSet, trie: LabelTrie | None) -> Iterator[tuple[str, LabelTrie | None]]:
    """The characters, divided by the children of the trie; None stands for having left the trie."""
    left: int = chars
    if trie is not None:
        for char, child in trie.children.items():
            if left >> ord(char) & 1:
                left &= ~alphabet.charset(char)
                yield char, child
    if left:
        yield alphabet.exemplar(CharSet(left)), None
