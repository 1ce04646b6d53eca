"""An expression ready to be examined: RE2's matcher, its structure, its automaton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import re2

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parse import parse
from crossgate.lint.proof.tree import Node, Repeat, Sequence, Symbol


class MatchMode(StrEnum):
    """How the engine that a pattern was written for applies it."""

    FULL = "full"
    """To the whole origin: Crossgate, Envoy."""
    SEARCH = "search"
    """Anywhere in the origin: nginx, Apache, most libraries."""
    PREFIX = "prefix"
    """From the beginning of the origin: Python's ``re.match``."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression with everything that the proof asks of it."""

    text: str
    mode: MatchMode
    tree: Node
    """Of the text itself."""
    automaton: Automaton
    """Of whole origins: what the mode leaves open on either side is part of it."""
    admits: Callable[[str], bool]
    """RE2's own word on whether an origin matches."""
    budget: Budget


def read(text: str, mode: MatchMode, budget: Budget) -> Expression:
    """Prepare an expression that RE2 accepts.

    Raises:
        re2.error: RE2 does not accept it.
        ExhaustedError: it is too big or nested too deep.

    """
    admits = _matcher(text, mode)
    tree = parse(text)
    nfa = build(_open_ends(tree, mode), budget)
    return Expression(text, mode, tree, Automaton(nfa, budget), admits, budget)


def _matcher(text: str, mode: MatchMode) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    compiled = re2.compile(text.encode(), options=options)
    ways = {
        MatchMode.FULL: compiled.fullmatch,
        MatchMode.SEARCH: compiled.search,
        MatchMode.PREFIX: compiled.match,
    }
    apply = ways[mode]
    return lambda origin: apply(origin.encode()) is not None


def _open_ends(tree: Node, mode: MatchMode) -> Node:
    if mode is MatchMode.FULL:
        return tree
    before = Repeat(Symbol(alphabet.EVERY, 0, 0), 0, None, 0, 0)
    after = Repeat(Symbol(alphabet.EVERY, tree.end, tree.end), 0, None, tree.end, tree.end)
    items = (before, tree, after) if mode is MatchMode.SEARCH else (tree, after)
    return Sequence(items, tree.start, tree.end)
