"""How much work one proof may take.

Counted in steps of the automata, not in seconds: the same pattern gets the same verdict on every machine
and under every load. The default is about a twentieth of a second of one core; a long list of names gets
more, up to some seconds.
"""

from __future__ import annotations

from typing import Final

STEPS: Final = 40_000
STEPS_PER_CHARACTER: Final = 40
MOST_STEPS: Final = 3_000_000


def steps_for(*patterns: str) -> int:
    """How much work a proof about these patterns may take."""
    return min(MOST_STEPS, sum(STEPS + STEPS_PER_CHARACTER * len(pattern) for pattern in patterns))


class ExhaustedError(Exception):
    """The budget ran out; whatever was being worked out is unknown."""


class Budget:
    """A number of steps, spent as they are taken."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take ``steps`` from what is left.

        Raises:
            ExhaustedError: there is not so much left.

        """
        self.left -= steps
        if self.left < 0:
            raise ExhaustedError
