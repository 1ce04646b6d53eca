"""The language of one label: what may stand between a given set of nodes and the dot on its left.

Here a label is one that a registry gives out: letters, digits and inner hyphens, at most 63 (RFC 1035,
§2.3.1); names given out by companies may have underscores besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.hosts import SCHEMES, HostGraph
from crossgate.lint.proof.suffixes import CharTree

LONGEST: Final = 63
_SAMPLES: Final = 3
"""Ways that are followed to the same set of nodes when looking for examples."""
_LABEL_END: Final = -1
"""Stands for the nodes a search begins at: there the rules for a label's last character hold."""
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
    """Answers, for a set of nodes, what labels may be read backwards from it; remembers every answer."""

    def __init__(self, graph: HostGraph, letters: Iterable[Letter], budget: Budget) -> None:
        self._graph = graph
        self._budget = budget
        self._letters = tuple(letters)
        self._infinite: dict[int, bool] = {}
        self._counts: dict[tuple[int, int], int] = {}

    def infinite(self, nodes: int) -> bool:
        """Whether there is no end of labels."""
        known = self._infinite.get(nodes)
        if known is None:
            known = self._infinite[nodes] = self._find_loop(nodes)
        return known

    def _steps(self, nodes: int) -> Iterator[tuple[Letter, int]]:
        leading = self._graph.classes_into(nodes)
        for letter in self._letters:
            if leading >> letter.klass & 1:
                yield letter, self._graph.back(nodes, letter.klass)

    def _find_loop(self, start: int) -> bool:
        """Whether a set of nodes can recur on the way to the beginning of a label."""
        after: dict[int, set[int]] = {}
        useful: set[int] = set()
        queue = [_LABEL_END]
        for nodes in queue:
            if nodes in after:
                continue
            after[nodes] = set()
            for letter, before in self._steps(start if nodes == _LABEL_END else nodes):
                self._budget.spend()
                if nodes == _LABEL_END and not letter.outer:
                    continue
                after[nodes].add(before)
                if letter.outer and before & self._graph.label_starts:
                    useful.add(nodes)
                queue.append(before)
        _spread(useful, after)
        return _has_cycle(_LABEL_END, after, useful)

    def count(self, nodes: int, length: int = LONGEST) -> int:
        """How many labels there are of at most ``length`` characters; meant for finite languages."""
        return self._count(nodes, length, last=True)

    def _count(self, nodes: int, length: int, *, last: bool) -> int:
        if length == 0:
            return 0
        key = (nodes, length * 2 + last)
        known = self._counts.get(key)
        if known is not None:
            return known
        total = 0
        for letter, before in self._steps(nodes):
            self._budget.spend()
            if last and not letter.outer:
                continue
            here = letter.outer and before & self._graph.label_starts
            further = self._count(before, length - 1, last=False)
            total += letter.chars.bit_count() * (bool(here) + further)
        self._counts[key] = total
        return total

    def words(self, nodes: int) -> Iterator[tuple[str, int]]:
        """Every label, shortest first, with the label starts it leads to; meant for finite languages."""
        layer = [("", nodes)]
        for room in range(LONGEST - 1, -1, -1):
            longer: list[tuple[str, int]] = []
            for tail, reached in layer:
                for letter, before in self._steps(reached):
                    if not tail and not letter.outer:
                        continue
                    chars = list(alphabet.members(letter.chars))
                    starts = before & self._graph.label_starts if letter.outer else 0
                    if starts:
                        yield from ((char + tail, starts) for char in chars)
                    if self._count(before, room, last=False):
                        self._budget.spend(len(chars))
                        longer.extend((char + tail, before) for char in chars)
            layer = longer

    def samples(self, nodes: int) -> Iterator[tuple[str, int]]:
        """Some labels, shortest first, as :meth:`words` gives them; works for infinite languages."""
        seen: dict[int, int] = {}
        layer = [("", nodes)]
        for _ in range(LONGEST):
            longer = []
            for tail, reached in layer:
                for letter, before in self._steps(reached):
                    if not tail and not letter.outer:
                        continue
                    label = self._graph.automaton.exemplars[letter.klass] + tail
                    starts = before & self._graph.label_starts if letter.outer else 0
                    if starts:
                        yield label, starts
                    seen[before] = seen.get(before, 0) + 1
                    if seen[before] <= _SAMPLES:
                        longer.append((label, before))
            layer = longer

    def unlisted(self, nodes: int, listed: CharTree) -> Iterator[tuple[str, int]]:
        """One label for each set of label starts that some label outside of ``listed`` leads to."""
        seen: set[tuple[int, int]] = set()
        queue: list[tuple[str, int, CharTree | None]] = [("", nodes, listed)]
        for tail, reached, tree in queue:
            for letter, before in self._steps(reached):
                if not tail and not letter.outer:
                    continue
                for char, longer in _divide(letter.chars, tree):
                    key = (before, id(longer))
                    if key in seen:
                        continue
                    seen.add(key)
                    self._budget.spend()
                    queue.append((char + tail, before, longer))
                    starts = before & self._graph.label_starts if letter.outer else 0
                    if starts and (longer is None or longer.label is None):
                        yield char + tail, starts


def leave_list(graph: HostGraph, nodes: int, listed: CharTree, budget: Budget) -> Iterator[tuple[str, int]]:
    """Ways out of the list: ends of labels that browsers send and that are not in it.

    Each comes with the nodes at which it begins, which need not be label starts: to the left of any node
    there is something that completes a host. Every node at which such an end begins is in one of the sets.
    """
    seen: set[tuple[int, int]] = set()
    queue = [("", nodes, listed)]
    for tail, reached, tree in queue:
        for klass in graph.label_classes:
            before = graph.back(reached, klass)
            if not before:
                continue
            for char, longer in _divide(graph.automaton.blocks[klass], tree):
                if longer is None:
                    yield char + tail, before
                elif (before, id(longer)) not in seen:
                    budget.spend()
                    seen.add((before, id(longer)))
                    queue.append((char + tail, before, longer))
                    if longer.label is None and before & graph.label_starts:
                        yield char + tail, before & graph.label_starts


def ways_out(graph: HostGraph, nodes: int, listed: CharTree, budget: Budget) -> dict[str, int]:
    """The first of :func:`leave_list` under each scheme that has any."""
    found: dict[str, int] = {}
    wanted = graph.live
    for tail, starts in leave_list(graph, nodes, listed, budget):
        if starts & wanted:
            found[tail] = starts
            for scheme in SCHEMES:
                if starts & graph.nodes_of(scheme):
                    wanted &= ~graph.nodes_of(scheme)
        if not wanted:
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


def _spread(useful: set[int], after: dict[int, set[int]]) -> None:
    """Add to ``useful`` whatever leads to it."""
    before: dict[int, list[int]] = {}
    for nodes, following in after.items():
        for target in following:
            before.setdefault(target, []).append(nodes)
    queue = list(useful)
    for nodes in queue:
        for source in before.get(nodes, ()):
            if source not in useful:
                useful.add(source)
                queue.append(source)


def _has_cycle(start: int, after: dict[int, set[int]], useful: set[int]) -> bool:
    open_sets: set[int] = set()
    done: set[int] = set()
    stack = [(start, iter(after[start] & useful))] if start in useful else []
    open_sets.update(nodes for nodes, _ in stack)
    while stack:
        nodes, following = stack[-1]
        target = next(following, None)
        if target is None:
            stack.pop()
            open_sets.discard(nodes)
            done.add(nodes)
        elif target in open_sets:
            return True
        elif target not in done:
            open_sets.add(target)
            stack.append((target, iter(after[target] & useful)))
    return False
