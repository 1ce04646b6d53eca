"""The characters that decide: in an attacker's origin those that let it through, in a fix what differs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import re2

from crossgate.lint.proof.budget import ExhaustedError, budget_for
from crossgate.lint.proof.expression import MatchMode, read
from crossgate.lint.proof.witness import find_open_characters

Span = tuple[int, int]
"""Half-open, in characters."""
_TOKEN: Final = re.compile(r"\\.|\(\?:|.", re.DOTALL)


def deciding_spans(
    pattern: str, witness: str, domain: str, mode: MatchMode = MatchMode.FULL
) -> tuple[Span, ...]:
    """Where the witness has what the author of the expression did not write; empty if that is not known.

    ``domain`` is the registrable domain of the witness. Never raises.
    """
    try:
        expression = read(pattern, mode, budget_for(pattern))
        found = find_open_characters(expression.automaton, witness, domain)
    except (re2.error, UnicodeEncodeError, ExhaustedError):
        return ()
    return _joined(found)


def differing_spans(before: str, after: str) -> tuple[Span, ...]:
    """The parts of ``after`` that ``before`` does not have; an escaped character counts as one."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    ends = [0]
    for token in new:
        ends.append(ends[-1] + len(token))
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple((ends[i], ends[j]) for kind, _, _, i, j in codes if kind != "equal" and i != j)


def _joined(positions: Sequence[int]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for at in positions:
        if spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], at + 1)
        else:
            spans.append((at, at + 1))
    return tuple(spans)
