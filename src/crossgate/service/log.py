"""The log of the program, through structlog.

structlog is imported with the first line: it takes as long to load as a store to open, and most starts log
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


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
