"""The end of a program whose process executes another one; apart, since every verb's end looks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


class ExecuteAgain(SystemExit):
    """Raised when everything is closed but the log. `crossgate.cli.main` then calls ``execute``."""

    def __init__(self, execute: Callable[[], NoReturn]) -> None:
        super().__init__(0)
        self.execute = execute
