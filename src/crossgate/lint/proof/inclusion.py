"""Whether everything that one expression admits is admitted by another, with an origin if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import re2

from crossgate.lint.proof import grammar
from crossgate.lint.proof.budget import Budget, ExhaustedError, steps_for
from crossgate.lint.proof.expression import Expression, MatchMode, read
from crossgate.lint.proof.search import find_text
from crossgate.policy.names import NULL


@dataclass(frozen=True, slots=True)
class Inclusion:
    """``holds`` is None if that could not be found out; ``counterexample`` is what RE2 says is let out."""

    holds: bool | None
    counterexample: str | None = None


@lru_cache(maxsize=4096)
def included(
    inner: str,
    outer: str,
    inner_mode: MatchMode = MatchMode.FULL,
    outer_mode: MatchMode = MatchMode.FULL,
) -> Inclusion:
    """Whether ``outer`` admits every origin that ``inner`` admits. Never raises."""
    budget = Budget(steps_for(inner, outer))
    try:
        return compare(read(inner, inner_mode, budget), read(outer, outer_mode, budget), budget)
    except (re2.error, UnicodeEncodeError, ExhaustedError):
        return Inclusion(None)


def compare(inner: Expression, outer: Expression, budget: Budget) -> Inclusion:
    """The same for expressions that have been read.

    Raises:
        ExhaustedError: the budget ran out.

    """
    if inner.admits(NULL) and not outer.admits(NULL):
        return Inclusion(holds=False, counterexample=NULL)
    origins, defaults = grammar.origin_grammar(), grammar.default_port_grammar()

    def accepts(states: Sequence[int]) -> bool:
        return (
            origins.accepts(states[0])
            and inner.automaton.accepts(states[1])
            and not outer.automaton.accepts(states[2])
            and not defaults.accepts(states[3])
        )

    automata = (origins, inner.automaton, outer.automaton, defaults)
    origin = find_text(automata, accepts, budget, branching=1, may_die=frozenset({2, 3}))
    if origin is None:
        return Inclusion(holds=True)
    if inner.admits(origin) and not outer.admits(origin):
        return Inclusion(holds=False, counterexample=origin)
    return Inclusion(None)
