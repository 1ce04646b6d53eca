"""The one door: a pattern as text, its proof as value."""

from __future__ import annotations

from functools import lru_cache

import re2

from crossgate.lint.proof.budget import Budget, ExhaustedError, steps_for
from crossgate.lint.proof.examine import examine
from crossgate.lint.proof.expression import MatchMode, read
from crossgate.lint.proof.verdict import Proof, Verdict


@lru_cache(maxsize=8192)
def prove(pattern: str, mode: MatchMode = MatchMode.FULL, *, steps: int | None = None) -> Proof:
    """What a regular expression admits. Never raises, and never takes more than its budget.

    The budget is of ``steps``; if it is not given, of :func:`steps_for` the pattern.
    """
    budget = Budget(steps_for(pattern) if steps is None else steps)
    try:
        return examine(read(pattern, mode, budget))
    except re2.error as refused:
        argument = refused.args[0] if refused.args else refused
        reason = argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
        return Proof(Verdict.INVALID, reason=reason)
    except UnicodeEncodeError:
        return Proof(Verdict.INVALID, reason="it holds a byte that is not UTF-8, or half of a surrogate pair")
    except ExhaustedError:
        return Proof(Verdict.UNPROVEN, reason="the pattern is too involved: the budget of the proof ran out")
