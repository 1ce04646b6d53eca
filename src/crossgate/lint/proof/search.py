"""Shortest texts that several automata agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import product
from operator import and_

from crossgate.lint.proof.alphabet import EVERY, PREFERRED
from crossgate.lint.proof.automaton import DEAD, Automaton, bits
from crossgate.lint.proof.budget import Budget

_States = tuple[int, ...]


def find_text(
    automata: Sequence[Automaton],
    accepts: Callable[[Sequence[int]], bool],
    budget: Budget,
    *,
    branching: int,
    starts: Sequence[int] | None = None,
    may_die: frozenset[int] = frozenset(),
) -> str | None:
    """The shortest text after which ``accepts`` is content with the automata's states; None if none is.

    An automaton whose number is not in ``may_die`` is not left in its dead state. Of the one whose number
    is ``branching``, the positions are followed one by one: ``accepts`` must ask it for acceptance alone.
    """
    first = tuple(starts or (automaton.start for automaton in automata))
    if accepts(first):
        return ""
    for text, states in _Search(automata, branching, may_die, budget).run(first):
        if accepts(states):
            return text
    return None


class _Search:
    def __init__(
        self, automata: Sequence[Automaton], branching: int, may_die: frozenset[int], budget: Budget
    ) -> None:
        self._automata = automata
        self._vital = [number for number in range(len(automata)) if number not in may_die]
        self._ways = [
            automaton.branches if number == branching else _only(automaton, vital=number in self._vital)
            for number, automaton in enumerate(automata)
        ]
        self._budget = budget
        columns: dict[tuple[int, ...], str] = {}
        consumed = reduce(and_, (automata[number].chars for number in self._vital), EVERY)
        for char in PREFERRED:
            if consumed >> ord(char) & 1:
                columns.setdefault(tuple([automaton.class_of[ord(char)] for automaton in automata]), char)
        self._columns = list(columns.items())
        self._of_class: list[dict[int, int]] = [{} for _ in automata]
        for column, (classes, _) in enumerate(self._columns):
            for of_class, klass in zip(self._of_class, classes, strict=True):
                of_class[klass] = of_class.get(klass, 0) | 1 << column
        self._leading: dict[tuple[int, int], int] = {}

    def run(self, first: _States) -> Iterator[tuple[str, _States]]:
        """Every combination of states but the first, by a shortest text that leads to it."""
        seen = {first}
        queue = [("", first)]
        for text, states in queue:
            columns = -1
            for number in self._vital:
                columns &= self._columns_from(number, states[number])
            for column in bits(columns):
                self._budget.spend(3)
                classes, char = self._columns[column]
                longer = text + char
                parts = [way(*at) for way, *at in zip(self._ways, states, classes, strict=True)]
                for after in product(*parts):
                    if after not in seen:
                        seen.add(after)
                        queue.append((longer, after))
                        yield longer, after

    def _columns_from(self, number: int, state: int) -> int:
        known = self._leading.get((number, state))
        if known is None:
            of_class = self._of_class[number]
            known = 0
            for klass in self._automata[number].classes_from(state):
                known |= of_class.get(klass, 0)
            self._leading[number, state] = known
        return known


def _only(automaton: Automaton, *, vital: bool) -> Callable[[int, int], tuple[int, ...]]:
    def way(state: int, klass: int) -> tuple[int, ...]:
        after = automaton.step(state, klass)
        return () if vital and after == DEAD else (after,)

    return way
