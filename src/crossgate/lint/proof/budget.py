"""How much work one proof may take.

The work is counted in steps of the automata, not in seconds: the same pattern gets the same verdict on every
machine and under every load. 40,000 steps take about a twentieth of a second of one core. A long list of
names gets more, up to some seconds.
"""

from __future__ import annotations

from typing import Final

from crossgate.lint.quota import current_quota

STEPS: Final = 40_000
STEPS_PER_CHARACTER: Final = 40
MOST_STEPS: Final = 3_000_000


def steps_for(*patterns: str) -> int:
    """How many steps a proof about these patterns may take."""
    return min(MOST_STEPS, sum(STEPS + STEPS_PER_CHARACTER * len(pattern) for pattern in patterns))


class ExhaustedError(Exception):
    """The budget ran out: the question stays unanswered."""


class Budget:
    """A number of steps that can be spent."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take ``steps`` from what is left.

        Raises:
            ExhaustedError: fewer steps are left.

        """
        self.left -= steps
        if self.left < 0:
            raise ExhaustedError


def budget_for(*patterns: str) -> Budget:
    """The budget of a proof about these patterns.

    Raises:
        QuotaSpentError: the quota of the call does not suffice.

    """
    steps = steps_for(*patterns)
    quota = current_quota()
    if quota is None:
        return Budget(steps)
    quota.require(steps)
    budget = Budget(steps)
    quota.charge(budget)
    return budget
