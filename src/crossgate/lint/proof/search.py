"""Shortest texts that several automata agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from crossgate.lint.proof.alphabet import exemplar
from crossgate.lint.proof.automaton import DEAD, Automaton
from crossgate.lint.proof.budget import Budget


@lru_cache(maxsize=256)
def _joint(blocks: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    """One character for each class that no automaton divides."""
    parts = list(blocks[0])
    for others in blocks[1:]:
        parts = [both for part in parts for other in others if (both := part & other)]
    return tuple(exemplar(part) for part in parts)


def find_text(
    automata: Sequence[Automaton],
    accepts: Callable[[Sequence[int]], bool],
    budget: Budget,
    *,
    starts: Sequence[int] | None = None,
    may_die: frozenset[int] = frozenset(),
) -> str | None:
    """The shortest text after which ``accepts`` is content with the automata's states; None if none is.

    An automaton whose number is not in ``may_die`` is not left in its dead state.
    """
    first = tuple(starts or (automaton.start for automaton in automata))
    if accepts(first):
        return ""
    for text, states in _explore(automata, first, may_die, budget):
        if accepts(states):
            return text
    return None


def _explore(
    automata: Sequence[Automaton], first: tuple[int, ...], may_die: frozenset[int], budget: Budget
) -> Iterator[tuple[str, tuple[int, ...]]]:
    chars = _joint(tuple(tuple(automaton.blocks) for automaton in automata))
    columns = [(char, tuple(a.class_of[ord(char)] for a in automata)) for char in chars]
    vital_ones = [number not in may_die for number in range(len(automata))]
    seen = {first}
    queue = [("", first)]
    for text, states in queue:
        budget.spend(len(columns) >> 3)
        for char, classes in columns:
            after = []
            for automaton, state, klass, vital in zip(automata, states, classes, vital_ones, strict=True):
                following = automaton.step(state, klass)
                if vital and following == DEAD:
                    break
                after.append(following)
            else:
                key = tuple(after)
                if key not in seen:
                    budget.spend()
                    seen.add(key)
                    queue.append((text + char, key))
                    yield text + char, key
