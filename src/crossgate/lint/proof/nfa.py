"""The position automaton of an expression (Glushkov), as one table.

Every consuming token of the unrolled expression is a *position*. Assertions are positions too: whether one
holds is known only when both of its neighbours are, so it waits for the next character. Equal tokens that are
followed by the same are one position, so a list of names shares its common ends.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.syntax_tree import (
    Alternation,
    Assertion,
    AssertionKind,
    Concatenation,
    Node,
    Repeat,
    Symbol,
)

ACCEPT: Final = 0
"""The position that is reached when the whole expression has matched."""


class Position(NamedTuple):
    """A token or an assertion of the expression, and the numbers of the positions that may follow it."""

    token: Symbol | Assertion | None
    quantified: bool
    follow: tuple[int, ...]


class Nfa(NamedTuple):
    """Positions, of which the first accepts, and the numbers of those to start from."""

    positions: tuple[Position, ...]
    start: tuple[int, ...]


def build(tree: Node, budget: Budget) -> Nfa:
    """The automaton of a syntax tree; every repeat is unrolled, at the budget's cost.

    Raises:
        ExhaustedError: it grew too big.

    """
    builder = _Builder(budget)
    first = builder.add(tree, builder.accept, quantified=False)
    return builder.finish(first)


class _Builder:
    """Thompson's construction, from the end to the beginning; silent nodes are removed at the end."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tokens: list[tuple[Symbol | Assertion | None, bool]] = []
        self._next: list[list[int]] = []
        self._same: dict[tuple[object, ...], int] = {}
        self.accept = self._node(None, [])

    def _node(
        self, token: Symbol | Assertion | None, following: list[int], *, quantified: bool = False
    ) -> int:
        # A set of positions has one bit for each of them, so the cost of all sets grows with the square.
        self._budget.spend(3 + (len(self._next) >> 12))
        self._tokens.append((token, quantified))
        self._next.append(following)
        return len(self._next) - 1

    def add(self, node: Node, then: int, *, quantified: bool) -> int:
        """Put ``node`` before ``then``; returns the node at which it begins."""
        match node:
            case Symbol(chars, any_char=any_char):
                key = (Symbol, chars, any_char, quantified, then)
                return self._once(key, node, [then], quantified=quantified)
            case Assertion(kind):
                return self._once((Assertion, kind, then), node, [then])
            case Concatenation(items):
                for item in reversed(items):
                    then = self.add(item, then, quantified=False)
                return then
            case Alternation(branches):
                following = [self.add(branch, then, quantified=False) for branch in branches]
                return self._once((Alternation, *following), None, following)
            case Repeat(Symbol(chars, any_char=any_char), least, most):
                same = (Repeat, chars, any_char, least, most, then)
                if same not in self._same:
                    self._same[same] = self._add_repeat(node, then)
                return self._same[same]
            case Repeat():
                return self._add_repeat(node, then)

    def _once(
        self,
        key: tuple[object, ...],
        token: Symbol | Assertion | None,
        following: list[int],
        *,
        quantified: bool = False,
    ) -> int:
        """The node of that key, made if there is none."""
        known = self._same.get(key)
        if known is None:
            known = self._same[key] = self._node(token, following, quantified=quantified)
        return known

    def _add_repeat(self, node: Repeat, then: int) -> int:
        quantified = (node.least, node.most) != (1, 1)
        if node.most is None:
            loop = self._node(None, [])
            self._next[loop] = [self.add(node.body, loop, quantified=quantified), then]
            then = loop
        else:
            # x{0,3} becomes (x(x(x)?)?)?, so that no follow set grows with the number of copies.
            after = then
            for _ in range(node.most - node.least):
                following = [self.add(node.body, then, quantified=quantified), after]
                then = self._once((Alternation, *following), None, following)
        for _ in range(node.least):
            then = self.add(node.body, then, quantified=quantified)
        return then

    def finish(self, first: int) -> Nfa:
        numbers = {self.accept: ACCEPT}
        for node, (token, _) in enumerate(self._tokens):
            if token is not None:
                numbers[node] = len(numbers)
        reached: dict[int, tuple[int, ...]] = {}

        def reach(node: int) -> tuple[int, ...]:
            if node not in reached:
                reached[node] = tuple(self._skip_silent(node, numbers))
            return reached[node]

        positions = [
            Position(*self._tokens[node], reach(self._next[node][0]) if self._next[node] else ())
            for node in numbers
        ]
        return Nfa(tuple(positions), reach(first))

    def _skip_silent(self, node: int, numbers: dict[int, int]) -> list[int]:
        """The positions that silent nodes lead to from ``node``, which may be one itself."""
        number = numbers.get(node)
        if number is not None:
            return [number]
        found, seen, open_nodes = [], {node}, [node]
        while open_nodes:
            self._budget.spend()
            node = open_nodes.pop()
            number = numbers.get(node)
            if number is not None:
                found.append(number)
                continue
            for following in self._next[node]:
                if following not in seen:
                    seen.add(following)
                    open_nodes.append(following)
        return found


def reverse(nfa: Nfa) -> list[list[int]]:
    """For each position those that it may follow once the string has begun."""
    before: list[list[int]] = [[] for _ in nfa.positions]
    for number, position in enumerate(nfa.positions):
        if not (isinstance(position.token, Assertion) and position.token.kind is AssertionKind.TEXT_START):
            for following in position.follow:
                before[following].append(number)
    return before
