"""The log of the program, through structlog.

structlog is imported with the first line: it takes as long to load as a store to open, and most starts log
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import monotonic
from typing import Any, Final

LINES_AT_ONCE: Final = 10
SECONDS_PER_LINE: Final = 10.0


class LogLimit:
    """Bounds the lines that clients without a valid token can cause: ten at once, then one every 10 s."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lines = float(LINES_AT_ONCE)
        self._counted = clock()
        self._omitted = 0

    def admit(self) -> int | None:
        """The number of lines omitted since the last one, if this one is to be logged; None to omit it."""
        now = self._clock()
        earned = (now - self._counted) / SECONDS_PER_LINE
        self._lines, self._counted = min(self._lines + earned, LINES_AT_ONCE), now
        if self._lines < 1:
            self._omitted += 1
            return None
        self._lines -= 1
        omitted, self._omitted = self._omitted, 0
        return omitted


class Log:
    """A named logger. Its methods are structlog's: ``warning("message", key=value)``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        return getattr(_logger(self._name), method)


def configure_log(configure: Callable[[Any], None]) -> None:
    """Set a function to call with the module structlog before the first line is written."""
    _configure[:] = [configure]


_configure: list[Callable[[Any], None]] = []


@cache
def _logger(name: str) -> Any:
    import structlog

    while _configure:
        _configure.pop()(structlog)
    return structlog.get_logger(name)
