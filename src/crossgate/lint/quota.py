"""How much work all proofs of one call may take together, where a worker process can do it instead.

Each proof has a budget of its own, which makes its verdict the same everywhere. The quota changes no
verdict: once it is spent, the next proof is not begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol


class QuotaSpentError(Exception):
    """The proofs of the call take more than its quota."""


class Spending(Protocol):
    """The budget of one proof."""

    left: int


class Quota:
    """Steps for several proofs."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._budgets: list[tuple[Spending, int]] = []

    def require(self, steps: int) -> None:
        """Check that a proof may begin that takes up to ``steps``.

        Raises:
            QuotaSpentError: it would take more than all, or too many were taken already.

        """
        spent = sum(granted - max(budget.left, 0) for budget, granted in self._budgets)
        if steps > self._steps or spent >= self._steps:
            raise QuotaSpentError

    def charge(self, budget: Spending) -> None:
        """Count what this budget will spend."""
        self._budgets.append((budget, budget.left))


_current: Final[ContextVar[Quota | None]] = ContextVar("quota", default=None)


@contextmanager
def limited_proofs(steps: int) -> Iterator[None]:
    """Let the proofs within the context take some ``steps``; known proofs take none.

    Raises:
        QuotaSpentError: in the context, before the proof that would exceed it.

    """
    token = _current.set(Quota(steps))
    try:
        yield
    finally:
        _current.reset(token)


def current_quota() -> Quota | None:
    """The quota of this call; None if its proofs are not limited together."""
    return _current.get()
