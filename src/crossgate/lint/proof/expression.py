"""An expression prepared for a proof: RE2's matcher, its syntax tree, its automaton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import re2

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.budget import Budget
from crossgate.lint.proof.nfa import build
from crossgate.lint.proof.parser import parse
from crossgate.lint.proof.suffix_list import SuffixList, suffix_list
from crossgate.lint.proof.syntax_tree import Concatenation, Node, Repeat, Symbol


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
    """A regular expression with everything that a proof needs of it."""

    pattern: str
    mode: MatchMode
    automaton: Automaton
    """Of whole origins: what the mode leaves open on either side is part of it."""
    admits: Callable[[str], bool]
    """RE2's answer to whether an origin matches."""
    budget: Budget
    suffixes: SuffixList
    """Decides what a registrable domain is."""


def read(pattern: str, mode: MatchMode, budget: Budget, suffixes: SuffixList | None = None) -> Expression:
    """Prepare an expression.

    Raises:
        re2.error: RE2 does not accept it.
        ExhaustedError: it is too big or nested too deep.

    """
    admits = _matcher(pattern, mode)
    nfa = build(_open_ends(parse(pattern), mode), budget)
    return Expression(pattern, mode, Automaton(nfa, budget), admits, budget, suffixes or suffix_list())


def _matcher(pattern: str, mode: MatchMode) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    compiled = re2.compile(pattern.encode(), options=options)
    methods = {
        MatchMode.FULL: compiled.fullmatch,
        MatchMode.SEARCH: compiled.search,
        MatchMode.PREFIX: compiled.match,
    }
    method = methods[mode]
    return lambda origin: method(origin.encode()) is not None


def _open_ends(tree: Node, mode: MatchMode) -> Node:
    if mode is MatchMode.FULL:
        return tree
    before = Repeat(Symbol(alphabet.EVERY, 0, 0), 0, None, 0, 0)
    after = Repeat(Symbol(alphabet.EVERY, tree.end, tree.end), 0, None, tree.end, tree.end)
    items = (before, tree, after) if mode is MatchMode.SEARCH else (tree, after)
    return Concatenation(items, tree.start, tree.end)
