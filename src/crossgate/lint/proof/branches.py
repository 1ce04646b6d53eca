"""Parts of an expression that take part in no match of an origin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from crossgate.lint.proof import grammar
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget, ExhaustedError
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parse import parse
from crossgate.lint.proof.search import find_text
from crossgate.lint.proof.tree import Choice, Condition, Node, Repeat, Symbol
from crossgate.lint.proof.tree import Sequence as Row
from crossgate.policy.names import NULL

_MOST: Final = 32
"""Parts that are tried: each costs a search."""


@lru_cache(maxsize=2048)
def dead_parts(pattern: str) -> tuple[str, ...]:
    """Alternatives and optional groups without which the same origins match, as they stand in the text.

    ``pattern`` must be accepted by RE2 and match some origin. What takes too long to find out is left out.
    """
    try:
        tree = parse(pattern)
        return tuple(
            pattern[part.start : part.end]
            for number, (part, without_others) in enumerate(_parts(tree))
            if number < _MOST and part.end > part.start and not _matches_an_origin(without_others)
        )
    except ExhaustedError:
        return ()


def _parts(node: Node) -> Iterator[tuple[Node, Node]]:
    """Every part that might be left out, with the whole in which it may not be."""
    match node:
        case Symbol() | Condition():
            return
        case Row(items):
            for index, item in enumerate(items):
                for part, changed in _parts(item):
                    yield part, replace(node, items=(*items[:index], changed, *items[index + 1 :]))
        case Choice(branches):
            for branch in branches:
                yield branch, branch
                for part, changed in _parts(branch):
                    yield part, changed
        case Repeat(body):
            if node.least == 0 and not isinstance(body, Symbol):
                yield body, Row((body, node), node.start, node.end)
            for part, changed in _parts(body):
                yield part, Row((node, changed, node), node.start, node.end)


def _matches_an_origin(tree: Node) -> bool:
    budget = Budget()
    automaton = Automaton(build(tree, budget), budget)
    if automaton.matches(NULL):
        return True
    return any(_meets(automaton, grammar.automaton_of(kind), budget) for kind in _KINDS)


_KINDS: Final = (grammar.ROUGHLY_WEB_ORIGIN, grammar.ROUGHLY_OTHER_ORIGIN)


def _meets(automaton: Automaton, kind: Automaton, budget: Budget) -> bool:
    def accepts(states: Sequence[int]) -> bool:
        return kind.accepts(states[0]) and automaton.accepts(states[1])

    return find_text((kind, automaton), accepts, budget, branching=1) is not None
