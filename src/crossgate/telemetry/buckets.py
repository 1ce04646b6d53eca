"""When the token buckets of a node may have denied reports, from the reports alone.

Envoy counts what its buckets denied for the whole process, not by bucket and time. But a bucket denies only
when it is empty, and it fills at a known rate. So from the times of the reports that it passed follows how
many tokens it had left at least. In a cell, an eighth of a second of one bucket of one node, in which that
stays above zero, every request was reported.

Reports come in any order within about a second, so the cells of a bucket are judged in one go, later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crossgate.telemetry.scaling import Share

CELLS_PER_SECOND: Final = 8
MAX_CELLS: Final = 160
"""Cells of a bucket that are not judged yet. Times are the node's: a wrong clock must not fill the memory."""


@dataclass(frozen=True, slots=True)
class BucketRates:
    """Entries a second that each token bucket of a node passes; it holds as many."""

    refusals: int = 1000
    """Refused and observed requests without Sec-Fetch-Mode."""
    browsers: int = 1000
    """The same, with it."""
    allowed: int = 50
    """Allowed requests with an Origin."""


_SATURATED: Final = 0.9


class Cell:
    """What a bucket passed in an eighth of a second."""

    __slots__ = ("passed", "samples")

    def __init__(self) -> None:
        self.passed = 0
        """Entries, those included that are not among the samples."""
        self.samples: dict[Share, int] = {}


class NodeBucket:
    """One bucket of one node."""

    __slots__ = ("_cells", "_judged", "_tokens", "idle")

    def __init__(self) -> None:
        self._cells: dict[int, Cell] = {}
        self._judged: int | None = None
        """The newest cell that was judged."""
        self._tokens = 0.0
        """How many tokens were left after it, at least."""
        self.idle = 0
        """How many times in a row there was nothing to judge."""

    def cell(self, time: float) -> Cell:
        """The cell of that time; if it was judged already, the first that was not."""
        number = int(time * CELLS_PER_SECOND)
        if self._judged is not None and number <= self._judged:
            number = self._judged + 1
        found = self._cells.get(number)
        if found is None:
            if len(self._cells) >= MAX_CELLS:
                return self._cells[max(self._cells)]
            found = self._cells[number] = Cell()
        return found

    def judge(self, until: float, rate: int) -> Sequence[tuple[Cell, bool]]:
        """Remove the cells that began by then; each with whether the bucket may have been empty in it."""
        end = int(until * CELLS_PER_SECOND)
        numbers = sorted(number for number in self._cells if number <= end)
        self.idle = 0 if numbers or self._cells else self.idle + 1
        filled = rate / CELLS_PER_SECOND
        if not numbers:
            return ()
        judged, tokens = self._judged, self._tokens
        if judged is None:
            # An empty bucket passes what it is filled with, so less in the first second shows a full one.
            first = sum(self._cells[n].passed for n in numbers if n < numbers[0] + CELLS_PER_SECOND)
            judged, tokens = numbers[0] - 1, 0.0 if first >= _SATURATED * rate else float(rate)
        cells = []
        for number in numbers:
            cell = self._cells.pop(number)
            tokens = min(tokens + (number - judged - 1) * filled, rate)
            cells.append((cell, tokens - cell.passed < 1))
            tokens = max(min(tokens + filled, rate) - cell.passed, 0)
            judged = number
        self._judged, self._tokens = judged, tokens
        return cells
