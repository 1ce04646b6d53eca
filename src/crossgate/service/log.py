"""The log: what happens unasked, for whoever runs the program.

structlog is loaded with the first line. It takes as long as opening a store, and most starts have nothing to
say here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


class Log:
    """Writes lines under one name; the methods are structlog's: ``warning("text", key=value)``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        return getattr(_logger(self._name), method)


def configured_by(configure: Callable[[], None]) -> None:
    """Have ``configure`` called before the first line is written."""
    _configuring[:] = [configure]


_configuring: list[Callable[[], None]] = []


@cache
def _logger(name: str) -> Any:
    import structlog

    while _configuring:
        _configuring.pop()()
    return structlog.get_logger(name)
