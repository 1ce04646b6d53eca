"""Geometry of charts over time: bars, grid lines, flags and labels. Pure: numbers in, positions out.

A position along the time axis is a percentage of the plot's width, and one along the other axis is in pixels:
so the browser draws at any width, and no text is scaled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor, log10
from typing import Final

_BAR_START, _BAR_WIDTH = 0.14, 0.72
"""Of a step."""
_HEADROOM: Final = 1.08
_LEAST_HEIGHT: Final = 1.0
"""Pixels of a bar that is not empty."""
_FLAG_DISTANCE: Final = 13.0
"""Percent: flags that are nearer to each other become one."""
NOW_DISTANCE: Final = 15.0
"""Percent that the last label, "now", takes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; ``x`` and ``width`` in percent, ``y`` and ``height`` in pixels."""

    kind: str
    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class GridLine:
    """A value of the axis and its place."""

    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of one row."""

    height: int
    grid: tuple[GridLine, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """One revision on the time axis, or several that are close together."""

    x: str
    first: int
    last: int
    at: datetime
    """Of the last one."""

    @property
    def text(self) -> str:
        """What stands in the flag."""
        return str(self.last) if self.first == self.last else f"{self.first}\u2013{self.last}"

    @property
    def half_width(self) -> int:
        """Pixels from the middle to the edge."""
        return 6 + 4 * max(3, len(self.text))


@dataclass(frozen=True, slots=True)
class Label:
    """A time below the chart."""

    x: str
    text: str


def stacked_plot(height: int, steps: Sequence[Sequence[int]], kinds: Sequence[str], most_lines: int) -> Plot:
    """The bars of steps, each with a value of every kind, the first kind at the bottom."""
    maximum = max((sum(step) for step in steps), default=0)
    scale = height / (max(maximum, 1) * _HEADROOM)
    bars: list[Bar] = []
    for number, step in enumerate(steps):
        x = _percent((number + _BAR_START) / len(steps))
        width = _percent(_BAR_WIDTH / len(steps))
        bottom = 0.0
        for kind, value in zip(kinds, step, strict=True):
            if value:
                tall = max(value * scale, _LEAST_HEIGHT)
                bars.append(Bar(kind, x, width, _pixels(height - bottom - tall), _pixels(tall)))
                bottom += tall
    lines = tuple(
        GridLine(_pixels(height - value * scale), short_number(value))
        for value in grid_values(maximum, most_lines)
    )
    return Plot(height, lines, tuple(bars))


def grid_values(maximum: int, most: int) -> list[int]:
    """At most so many equidistant values up to the maximum, as round as possible: 1, 2 or 5 times 10ⁿ."""
    if maximum < 1:
        return []
    for exponent in range(floor(log10(maximum)) - 1, floor(log10(maximum)) + 1):
        for digit in (1, 2, 5):
            step = digit * 10**exponent
            if step >= 1 and maximum // step <= most:
                step = int(step)
                return [step * number for number in range(1, int(maximum // step) + 1)]
    return [10 ** floor(log10(maximum))]


def short_number(value: int) -> str:
    """A number for an axis: 100, 20k, 1.5M."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return str(value)


def place(at: datetime, since: datetime, length: timedelta) -> float:
    """Where a time is on the axis, in percent."""
    return (at - since) / length * 100


def place_of(x: str) -> float:
    """The percent of a position."""
    return float(x.removesuffix("%"))


def flags(revisions: Iterable[tuple[int, datetime]], since: datetime, length: timedelta) -> tuple[Flag, ...]:
    """The revisions of the period, the oldest first; those that are close together in one flag."""
    found: list[tuple[float, Flag]] = []
    for number, at in sorted(revisions):
        x = place(at, since, length)
        if not 0 <= x <= 100:
            continue
        if found and x - found[-1][0] < _FLAG_DISTANCE:
            before = found[-1][1]
            found[-1] = (found[-1][0], Flag(before.x, before.first, number, at))
        else:
            found.append((x, Flag(f"{x:.3f}%", number, number, at)))
    return tuple(flag for _, flag in found)


_EVERY: Final = (
    (timedelta(hours=2), timedelta(minutes=15)),
    (timedelta(days=2), timedelta(hours=6)),
    (timedelta(days=30), timedelta(days=1)),
)


def time_labels(since: datetime, length: timedelta) -> tuple[Label, ...]:
    """Round times (UTC) below the axis, without the place of the last label, "now"."""
    every = next(step for limit, step in _EVERY if length <= limit)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    at = epoch + -((epoch - since) // every) * every
    found = []
    while place(at, since, length) < 100 - NOW_DISTANCE:
        text = f"{at.day} {at:%b}" if every >= timedelta(days=1) else f"{at:%H:%M}"
        x = place(at, since, length)
        if x >= 2:
            found.append(Label(f"{x:.3f}%", text))
        at += every
    return tuple(found)


def _percent(share: float) -> str:
    return f"{share * 100:.3f}%"


def _pixels(value: float) -> str:
    return f"{max(value, 0):.1f}"
