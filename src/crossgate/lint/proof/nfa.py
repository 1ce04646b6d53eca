"""A nondeterministic automaton of an expression, in one table.

Every consuming token of the (unrolled) expression is a *position*; a set of positions is an integer.
Conditions are positions too: whether they hold is known only when both neighbours are, so they stay in
the set until the next character is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.tree import Choice, Condition, Gap, Node, Repeat, Sequence, Symbol

ACCEPT: Final = 1
"""The position (as a set) that is reached when the whole expression has been matched."""


@dataclass(frozen=True, slots=True)
class Position:
    """A token or a condition of the expression, and what may come after it."""

    token: Symbol | Condition | None
    quantified: bool
    follow: int


@dataclass(frozen=True, slots=True)
class Nfa:
    """Positions, the first of which is the accepting one, and the set to start from."""

    positions: tuple[Position, ...]
    start: int

    @property
    def gaps(self) -> frozenset[Gap]:
        """The kinds of condition there are."""
        tokens = (position.token for position in self.positions)
        return frozenset(token.gap for token in tokens if isinstance(token, Condition))


def build(tree: Node, budget: Budget) -> Nfa:
    """The automaton; every repeat is unrolled, at the budget's cost.

    Raises:
        ExhaustedError: it grew too big.

    """
    builder = _Builder(budget)
    first = builder.add(tree, builder.accept, quantified=False)
    return builder.finish(first)


class _Builder:
    """Thompson's construction, from the end to the beginning; silent nodes are looked through at last."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tokens: list[tuple[Symbol | Condition | None, bool]] = []
        self._next: list[list[int]] = []
        self.accept = self._node(None, [])

    def _node(
        self, token: Symbol | Condition | None, following: list[int], *, quantified: bool = False
    ) -> int:
        self._budget.spend(4)
        self._tokens.append((token, quantified))
        self._next.append(following)
        return len(self._next) - 1

    def add(self, node: Node, then: int, *, quantified: bool) -> int:
        """Put ``node`` before ``then``; answers where it begins."""
        match node:
            case Symbol() | Condition():
                return self._node(node, [then], quantified=quantified)
            case Sequence(items):
                for item in reversed(items):
                    then = self.add(item, then, quantified=False)
                return then
            case Choice(branches):
                return self._node(None, [self.add(branch, then, quantified=False) for branch in branches])
            case Repeat():
                return self._add_repeat(node, then)

    def _add_repeat(self, node: Repeat, then: int) -> int:
        quantified = (node.least, node.most) != (1, 1)
        if node.most is None:
            loop = self._node(None, [])
            self._next[loop] = [self.add(node.body, loop, quantified=quantified), then]
            then = loop
        else:
            # x{0,3} is (x(x(x)?)?)?, so that no follow set grows with the number of copies.
            after = then
            for _ in range(node.most - node.least):
                then = self._node(None, [self.add(node.body, then, quantified=quantified), after])
        for _ in range(node.least):
            then = self.add(node.body, then, quantified=quantified)
        return then

    def finish(self, first: int) -> Nfa:
        numbers = {self.accept: 0}
        for node, (token, _) in enumerate(self._tokens):
            if token is not None:
                numbers[node] = len(numbers)
        reached: dict[int, int] = {}

        def reach(nodes: list[int]) -> int:
            found = 0
            for node in nodes:
                if node not in reached:
                    reached[node] = self._look_through(node, numbers)
                found |= reached[node]
            return found

        positions = tuple(
            Position(self._tokens[node][0], self._tokens[node][1], reach(self._next[node]))
            for node in numbers
        )
        return Nfa(positions, reach([first]))

    def _look_through(self, node: int, numbers: dict[int, int]) -> int:
        found, seen, open_nodes = 0, {node}, [node]
        while open_nodes:
            self._budget.spend()
            node = open_nodes.pop()
            number = numbers.get(node)
            if number is not None:
                found |= 1 << number
                continue
            for following in self._next[node]:
                if following not in seen:
                    seen.add(following)
                    open_nodes.append(following)
        return found
