"""Questions about several automata at once: shortest common strings, and inclusion of expressions.

Both are breadth-first searches through the product of the automata, so the first string found is a shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from operator import and_

import re2

from crossgate.lint.proof import grammar
from crossgate.lint.proof.alphabet import EVERY, PREFERRED
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.bitset import State, bits
from crossgate.lint.proof.budget import Budget, ExhaustedError, budget_for
from crossgate.lint.proof.expression import Expression, MatchMode, read
from crossgate.policy.names import NULL


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Whether one expression includes another; RE2 has confirmed the counterexample."""

    holds: bool | None
    """None if the answer is unknown: the budget ran out, or RE2 did not confirm the counterexample."""
    counterexample: str | None = None
    """An origin that the inner expression admits and the outer does not."""


@lru_cache(maxsize=4096)
def included(
    inner: str,
    outer: str,
    inner_mode: MatchMode = MatchMode.FULL,
    outer_mode: MatchMode = MatchMode.FULL,
) -> Inclusion:
    """Whether ``outer`` admits every origin that ``inner`` admits. Never raises."""
    budget = budget_for(inner, outer)
    try:
        return _compare(read(inner, inner_mode, budget), read(outer, outer_mode, budget), budget)
    except (re2.error, UnicodeEncodeError, ExhaustedError):
        return Inclusion(None)


def _compare(inner: Expression, outer: Expression, budget: Budget) -> Inclusion:
    if inner.admits(NULL) and not outer.admits(NULL):
        return Inclusion(holds=False, counterexample=NULL)
    origins, defaults = grammar.origin_grammar(), grammar.default_port_grammar()

    def accepts(states: Sequence[State]) -> bool:
        return (
            origins.accepts(states[0])
            and inner.automaton.accepts(states[1])
            and not outer.automaton.accepts(states[2])
            and not defaults.accepts(states[3])
        )

    automata = (origins, inner.automaton, outer.automaton, defaults)
    origin = find_string(automata, accepts, budget, branching=1, may_die=frozenset({2, 3}))
    if origin is None:
        return Inclusion(holds=True)
    if inner.admits(origin) and not outer.admits(origin):
        return Inclusion(holds=False, counterexample=origin)
    return Inclusion(None)


def find_string(
    automata: Sequence[Automaton],
    accepts: Callable[[Sequence[State]], bool],
    budget: Budget,
    *,
    branching: int,
    starts: Sequence[State] | None = None,
    may_die: frozenset[int] = frozenset(),
) -> str | None:
    """The shortest string after which ``accepts`` is true of the automata's states; None if there is none.

    The search leaves out strings that kill an automaton, unless its number is in ``may_die``. The positions
    of the automaton number ``branching`` are followed one by one, so ``accepts`` must require of that one
    nothing but acceptance.

    Raises:
        ExhaustedError: the budget ran out.

    """
    first = tuple(starts or (automaton.start for automaton in automata))
    if accepts(first):
        return ""
    for string, states in _Search(automata, branching, may_die, budget).run(first):
        if accepts(states):
            return string
    return None


def list_strings(
    automata: Sequence[Automaton],
    accepts: Callable[[Sequence[State]], bool],
    budget: Budget,
    *,
    chars: str,
    starts: Sequence[State],
    may_die: frozenset[int] = frozenset(),
) -> Iterator[str]:
    """Every string over ``chars`` after which ``accepts`` is true; one of the automata's languages is finite.

    Raises:
        ExhaustedError: the budget ran out.

    """
    barren: set[tuple[State, ...]] = set()

    def follow(string: str, states: tuple[State, ...]) -> Iterator[str]:
        fruitful = accepts(states)
        if fruitful:
            yield string
        for char in chars:
            budget.spend(2)
            after = []
            for number, (automaton, state) in enumerate(zip(automata, states, strict=True)):
                reached = automaton.run(char, state)
                if reached == DEAD and number not in may_die:
                    break
                after.append(reached)
            else:
                if tuple(after) not in barren:
                    for longer in follow(string + char, tuple(after)):
                        fruitful = True
                        yield longer
        if not fruitful:
            barren.add(states)

    return follow("", tuple(starts))


class _Search:
    def __init__(
        self, automata: Sequence[Automaton], branching: int, may_die: frozenset[int], budget: Budget
    ) -> None:
        self._automata = automata
        self._vital = [number for number in range(len(automata)) if number not in may_die]
        self._steps = [
            automaton.branches if number == branching else _single(automaton, vital=number in self._vital)
            for number, automaton in enumerate(automata)
        ]
        self._budget = budget
        columns: dict[tuple[int, ...], str] = {}
        consumed = reduce(and_, (automata[number].chars for number in self._vital), EVERY)
        for char in PREFERRED:
            if consumed >> ord(char) & 1:
                columns.setdefault(tuple([automaton.class_of[ord(char)] for automaton in automata]), char)
        self._columns = list(columns.items())
        """Each combination of classes, one of each automaton, with a character that is in all of them."""
        self._of_class: list[dict[int, int]] = [{} for _ in automata]
        for column, (classes, _) in enumerate(self._columns):
            for of_class, klass in zip(self._of_class, classes, strict=True):
                of_class[klass] = of_class.get(klass, 0) | 1 << column
        self._leading: dict[tuple[int, State], int] = {}

    def run(self, first: tuple[State, ...]) -> Iterator[tuple[str, tuple[State, ...]]]:
        """Every combination of states but the first, with a shortest string that leads to it."""
        seen = {first}
        queue = [("", first)]
        for string, states in queue:
            columns = -1
            for number in self._vital:
                columns &= self._columns_from(number, states[number])
            for column in bits(columns):
                self._budget.spend(3)
                classes, char = self._columns[column]
                longer = string + char
                parts = [
                    step(*at) for step, at in zip(self._steps, zip(states, classes, strict=True), strict=True)
                ]
                for after in product(*parts):
                    if after not in seen:
                        seen.add(after)
                        queue.append((longer, after))
                        yield longer, after

    def _columns_from(self, number: int, state: State) -> int:
        known = self._leading.get((number, state))
        if known is None:
            of_class = self._of_class[number]
            known = 0
            for klass in self._automata[number].classes_from(state):
                known |= of_class.get(klass, 0)
            self._leading[number, state] = known
        return known


def _single(automaton: Automaton, *, vital: bool) -> Callable[[State, int], tuple[State, ...]]:
    def step(state: State, klass: int) -> tuple[State, ...]:
        after = automaton.step(state, klass)
        return () if vital and after == DEAD else (after,)

    return step
