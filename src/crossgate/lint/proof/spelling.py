"""What a token stands for when only what the author spelled out is read.

A literal stands for itself. A bare dot that is not repeated counts as a dot; every other token that leaves a
character of a host open is read as a *mark*, which no name has.
"""

from __future__ import annotations

from crossgate.lint.proof import alphabet
from crossgate.lint.proof.automaton import Automaton, Mark, is_open


def host_classes(automaton: Automaton, chars: int, *, bare_dot: bool, spelled: bool) -> int:
    """The classes of characters in a host, marks among them, that stand for a token of these characters."""
    if not spelled or not is_open(chars):
        return automaton.classes_within(chars & alphabet.HOST)
    if bare_dot:
        found = automaton.classes_within(chars & alphabet.DOT)
    else:
        found = _mark(automaton, Mark.DOT, chars & alphabet.DOT)
    label = chars & alphabet.LABEL
    found |= _mark(automaton, Mark.WORD, label & alphabet.WORD)
    return found | _mark(automaton, Mark.OTHER, label & ~alphabet.WORD)


def _mark(automaton: Automaton, mark: Mark, chars: int) -> int:
    return 1 << mark_class(automaton, mark) if chars else 0


def mark_class(automaton: Automaton, mark: Mark) -> int:
    """The number of a mark's class; it follows those of the characters."""
    return len(automaton.blocks) + mark
