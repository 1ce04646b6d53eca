"""What an expression could be written without: parts that match no origin, or the expression itself.

An expression is not needed where a list of exact origins does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Final

from crossgate.lint.proof import grammar
from crossgate.lint.proof.alphabet import members
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.bitset import State
from crossgate.lint.proof.budget import Budget, ExhaustedError, budget_for
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse
from crossgate.lint.proof.product import find_string
from crossgate.lint.proof.syntax_tree import (
    Alternation,
    Assertion,
    AssertionKind,
    Concatenation,
    Node,
    Repeat,
    Symbol,
)
from crossgate.policy.names import NULL
from crossgate.policy.origin import is_well_formed

_MOST_PARTS: Final = 32
"""Parts that are tried: each costs a search."""
_MOST_LISTED: Final = 16
"""Origins that a list may have."""


@lru_cache(maxsize=2048)
def dead_parts(pattern: str) -> tuple[str, ...]:
    """Alternatives and optional groups that match in no origin, as they are written in the pattern.

    RE2 must accept ``pattern``, and it must match some origin. Parts whose search exhausts the budget are not
    reported.
    """
    try:
        tree = parse(pattern)
        return tuple(
            pattern[part.start : part.end]
            for number, (part, with_part) in enumerate(_parts(tree))
            if number < _MOST_PARTS and part.end > part.start and not _matches_an_origin(with_part)
        )
    except ExhaustedError:
        return ()


def _parts(node: Node) -> Iterator[tuple[Node, Node]]:
    """Every part that a match may skip, and the tree in which every match passes through it."""
    match node:
        case Symbol() | Assertion():
            return
        case Concatenation(items):
            for index, item in enumerate(items):
                for part, changed in _parts(item):
                    yield part, replace(node, items=(*items[:index], changed, *items[index + 1 :]))
        case Alternation(branches):
            for branch in branches:
                yield branch, branch
                yield from _parts(branch)
        case Repeat(body):
            if node.least == 0 and not isinstance(body, Symbol):
                yield body, Concatenation((body, node), node.start, node.end)
            for part, changed in _parts(body):
                yield part, Concatenation((node, changed, node), node.start, node.end)


def _matches_an_origin(tree: Node) -> bool:
    budget = budget_for("")
    automaton = Automaton(build(tree, budget), budget)
    if automaton.matches(NULL):
        return True
    kinds = (grammar.ROUGH_WEB_ORIGIN, grammar.ROUGH_OTHER_ORIGIN)
    return any(_meets(automaton, grammar.automaton_of(kind), budget) for kind in kinds)


def _meets(automaton: Automaton, kind: Automaton, budget: Budget) -> bool:
    def accepts(states: Sequence[State]) -> bool:
        return kind.accepts(states[0]) and automaton.accepts(states[1])

    return find_string((kind, automaton), accepts, budget, branching=1) is not None


@lru_cache(maxsize=2048)
def listed_origins(pattern: str) -> tuple[str, ...]:
    """Every origin that the expression admits, sorted; empty if there are many or a character is open."""
    try:
        strings = _strings(parse(pattern))
    except ExhaustedError:
        return ()
    return tuple(sorted({string for string in strings or () if is_well_formed(string)}))


def _strings(node: Node) -> list[str] | None:
    """Every string that matches; None if there are too many for a list."""
    match node:
        case Symbol(chars):
            return list(members(chars)) if chars.bit_count() == 1 else None
        case Assertion(kind):
            # At the ends of the pattern an anchor changes nothing. Inside, nothing is listed.
            return [""] if kind in (AssertionKind.TEXT_START, AssertionKind.TEXT_END) else None
        case Concatenation(items):
            parts = [_strings(item) for item in items]
            if any(isinstance(item, Assertion) for item in items[1:-1]):
                return None
            return _joined(parts)
        case Alternation(branches):
            found: list[str] = []
            for branch in branches:
                strings = _strings(branch)
                if strings is None or len(found) + len(strings) > _MOST_LISTED:
                    return None
                found += strings
            return found
        case Repeat(body, least, most):
            return _repeated(_strings(body), least, most)


def _joined(parts: list[list[str] | None]) -> list[str] | None:
    strings = [""]
    for part in parts:
        if part is None or len(strings) * len(part) > _MOST_LISTED:
            return None
        strings = ["".join(pair) for pair in product(strings, part)]
    return strings


def _repeated(body: list[str] | None, least: int, most: int | None) -> list[str] | None:
    if most is None or most > _MOST_LISTED:
        return None
    found: list[str] = []
    for times in range(least, most + 1):
        strings = _joined([body] * times)
        if strings is None or len(found) + len(strings) > _MOST_LISTED:
            return None
        found += strings
    return found
