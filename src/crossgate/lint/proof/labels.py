"""The language of one label: what may stand between a given set of nodes and the dot on its left.

Here a label is one that a registry gives out: letters, digits and inner hyphens, at most 63 (RFC 1035,
§2.3.1); names given out by companies may have underscores besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import as_set, bits
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.hosts import SCHEMES, HostGraph
from crossgate.lint.proof.suffixes import CharTree

LONGEST: Final = 63
MOST_WORDS: Final = 4096
"""A language of more labels is taken for an endless one: no author has listed its names."""
_SAMPLES: Final = 3
"""Ways that are followed to the same node when looking for examples."""
_UNDERSCORE: Final = alphabet.charset("_")


@dataclass(frozen=True, slots=True)
class Letter:
    """A class of characters in a label, and those of it that a label may have there."""

    klass: int
    chars: int
    outer: bool
    """Whether a label may begin and end with it."""


def registry_letters(graph: HostGraph) -> Iterator[Letter]:
    """Of labels that a registry gives out."""
    for klass, block in _label_blocks(graph):
        if block & alphabet.ALNUM:
            yield Letter(klass, block, outer=True)
        elif block & alphabet.HYPHEN:
            yield Letter(klass, block, outer=False)


def company_letters(graph: HostGraph) -> Iterator[Letter]:
    """Of labels that a company gives to its customers."""
    yield from registry_letters(graph)
    for klass, block in _label_blocks(graph):
        if block & _UNDERSCORE:
            yield Letter(klass, block, outer=True)


def any_letters(graph: HostGraph) -> Iterator[Letter]:
    """Of labels that a browser sends."""
    for klass, block in _label_blocks(graph):
        yield Letter(klass, block, outer=True)


def _label_blocks(graph: HostGraph) -> Iterator[tuple[int, int]]:
    return ((klass, graph.automaton.blocks[klass]) for klass in graph.label_classes)


class LabelReader:
    """Answers, for a set of nodes, what labels may be read backwards from it."""

    def __init__(self, graph: HostGraph, letters: Iterable[Letter], budget: Budget) -> None:
        self._graph = graph
        self._budget = budget
        self._letters = tuple(letters)
        self._every = as_set(letter.klass for letter in self._letters)
        self._outer = as_set(letter.klass for letter in self._letters if letter.outer)
        self._words: dict[int, tuple[tuple[str, int], ...]] = {}
        self._totals: dict[int, int] = {}
        self._counts: dict[tuple[int, int], int] = {}

    @cached_property
    def _distance(self) -> dict[int, int]:
        """The nodes inside of labels, each with the length of the shortest text from a label's beginning."""
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
    def _inside(self) -> int:
        return as_set(self._distance)

    @cached_property
    def _endless(self) -> int:
        """The nodes at which endlessly many labels end, because a loop lies on the way to them.

        They are left when nodes that no other leads to are taken away, again and again.
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
        return as_set(inside.keys() - set(queue)) & self._graph.entered_by(self._outer)

    def infinite(self, nodes: int) -> bool:
        """Whether there is no end of labels."""
        return bool(nodes & self._endless)

    def _steps(self, nodes: int, *, last: bool) -> Iterator[tuple[Letter, int]]:
        """The letters that lead into the nodes from inside of a label, and whence; ``last`` of a label."""
        nodes &= self._inside
        wanted = self._graph.classes_into(nodes) & (self._outer if last else self._every)
        for letter in self._letters:
            if wanted >> letter.klass & 1:
                yield letter, self._graph.back(nodes, letter.klass)

    def count(self, nodes: int) -> int:
        """How many labels there are; any number above :data:`MOST_WORDS` if they are more."""
        known = self._totals.get(nodes)
        if known is None:
            known = MOST_WORDS + 1 if self.infinite(nodes) else self._count(nodes, LONGEST, last=True)
            self._totals[nodes] = known
        return known

    def _count(self, nodes: int, length: int, *, last: bool = False) -> int:
        if not self._fits(nodes, length):
            return 0
        key = (nodes, length * 2 + last)
        known = self._counts.get(key)
        if known is not None:
            return known
        ways: dict[int, tuple[int, int]] = {}
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
            # What leads to one node alone is counted again: to remember all would take a long list's square.
            self._counts[key] = total
        return total

    def _fits(self, nodes: int, length: int) -> bool:
        """Whether some label of at most so many characters ends in the nodes."""
        distance = self._distance
        return any(distance.get(node, LONGEST + 1) <= length for node in bits(nodes & self._inside))

    def words(self, nodes: int) -> tuple[tuple[str, int], ...]:
        """Every label, shortest first, with the label starts it leads to; meant for finite languages."""
        known = self._words.get(nodes)
        if known is None:
            known = self._words[nodes] = tuple(self._read_words(nodes))
        return known

    def _read_words(self, nodes: int) -> Iterator[tuple[str, int]]:
        layer, room = {nodes: [""]}, LONGEST
        while layer:
            room -= 1
            longer: dict[int, list[str]] = {}
            for reached, tails in layer.items():
                for letter, before in self._steps(reached, last=room == LONGEST - 1):
                    texts = [char + tail for char in alphabet.members(letter.chars) for tail in tails]
                    self._budget.spend(2 + (len(texts) >> 2))
                    starts = before & self._graph.label_starts if letter.outer else 0
                    if starts:
                        yield from ((text, starts) for text in texts)
                    if self._fits(before, room):
                        longer.setdefault(before, []).extend(texts)
            layer = longer

    def samples(self, nodes: int) -> Iterator[tuple[str, int]]:
        """Some labels, shortest first, as :meth:`words` gives them; works for infinite languages."""
        seen = [0] * _SAMPLES
        layer = [("", nodes)]
        for _ in range(LONGEST):
            longer = []
            for tail, reached in layer:
                for letter, before in self._steps(reached, last=not tail):
                    self._budget.spend(2)
                    label = self._graph.automaton.exemplars[letter.klass] + tail
                    if letter.outer and before & self._graph.label_starts:
                        # Not all ways to it were followed.
                        yield label, self._graph.read_back(nodes, label) & self._graph.label_starts
                    fresh = before & self._inside & ~seen[-1]
                    if fresh:
                        _see(seen, fresh)
                        longer.append((label, fresh))
            layer = longer

    def unlisted(self, nodes: int, listed: CharTree) -> Iterator[tuple[str, int]]:
        """Labels outside of ``listed``, until every label start that one leads to has come with one."""
        seen: dict[int, int] = {}
        begun: dict[int, int] = {}
        queue: list[tuple[str, int, CharTree | None]] = [("", nodes, listed)]
        for tail, reached, tree in queue:
            for letter, before in self._steps(reached, last=not tail):
                for char, longer in _divide(letter.chars, tree):
                    self._budget.spend(4)
                    key = id(longer)
                    fresh = before & self._inside & ~seen.get(key, 0)
                    if fresh:
                        seen[key] = seen.get(key, 0) | fresh
                        queue.append((char + tail, fresh, longer))
                    starts = before & self._graph.label_starts & ~begun.get(key, 0)
                    if starts and letter.outer and (longer is None or longer.label is None):
                        begun[key] = begun.get(key, 0) | starts
                        yield char + tail, starts


def _see(seen: list[int], nodes: int) -> None:
    """``seen[n]`` are the nodes that were seen more than ``n`` times."""
    for times in range(len(seen) - 1, 0, -1):
        seen[times] |= seen[times - 1] & nodes
    seen[0] |= nodes


def leave_list(graph: HostGraph, nodes: int, listed: CharTree, budget: Budget) -> Iterator[tuple[str, int]]:
    """Ways out of the list: ends of labels that browsers send and that are not in it.

    Each comes with the nodes at which it begins, which need not be label starts: to the left of any node
    there is something that completes a host. Every node at which such an end begins is in one of the sets.
    """
    seen: dict[int, int] = {}
    queue = [("", nodes, listed)]
    for tail, reached, tree in queue:
        for klass in graph.label_classes:
            before = graph.back(reached, klass)
            if not before:
                continue
            for char, longer in _divide(graph.automaton.blocks[klass], tree):
                if longer is None:
                    yield char + tail, before
                    continue
                fresh = before & ~seen.get(id(longer), 0)
                if fresh:
                    budget.spend(4)
                    seen[id(longer)] = seen.get(id(longer), 0) | fresh
                    queue.append((char + tail, fresh, longer))
                    if longer.label is None and fresh & graph.label_starts:
                        yield char + tail, fresh & graph.label_starts


def ways_out(graph: HostGraph, nodes: int, listed: CharTree, budget: Budget) -> dict[str, int]:
    """The first of :func:`leave_list` under each scheme that has any."""
    found: dict[str, int] = {}
    for scheme in SCHEMES:
        for tail, starts in leave_list(graph, nodes & graph.nodes_of(scheme), listed, budget):
            found[tail] = found.get(tail, 0) | starts
            break
    return found


def _divide(chars: int, tree: CharTree | None) -> Iterator[tuple[str, CharTree | None]]:
    """The characters, told apart as far as the tree does; None stands for having left it."""
    if tree is not None:
        for char, longer in tree.after.items():
            if chars >> ord(char) & 1:
                chars &= ~alphabet.charset(char)
                yield char, longer
    if chars:
        yield alphabet.exemplar(chars), None
