"""The log of the program: the standard library's loggers, with fields.

Libraries log in the same way, so that one handler receives every line. `crossgate run` and `crossgate node`
install it (`crossgate.cli.process`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from time import monotonic
from typing import Final

LINES_AT_ONCE: Final = 10
SECONDS_PER_LINE: Final = 10.0
_ROOT: Final = "crossgate"


class LogFormat(StrEnum):
    """How the lines of the log are written."""

    AUTO = "auto"
    """Text in a terminal, otherwise JSON."""
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """How serious a line is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level in the standard library."""
        return logging.getLevelNamesMapping()[self.name]


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
        # A wall clock may be set back.
        earned = max(now - self._counted, 0.0) / SECONDS_PER_LINE
        self._lines, self._counted = min(self._lines + earned, LINES_AT_ONCE), now
        if self._lines < 1:
            self._omitted += 1
            return None
        self._lines -= 1
        omitted, self._omitted = self._omitted, 0
        return omitted


class Log:
    """A named logger: ``warning("message", key=value)``.

    The message is a constant sentence. What varies, above all what came from outside, is a field.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{name}")

    def debug(self, message: str, /, **fields: object) -> None:
        """Log what only a search for a fault needs."""
        self.log(LogLevel.DEBUG, message, fields)

    def info(self, message: str, /, **fields: object) -> None:
        """Log what happened as intended."""
        self.log(LogLevel.INFO, message, fields)

    def warning(self, message: str, /, **fields: object) -> None:
        """Log what somebody should look at."""
        self.log(LogLevel.WARNING, message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        """Log what did not work."""
        self.log(LogLevel.ERROR, message, fields)

    def exception(self, message: str, /, *, cause: BaseException | None = None, **fields: object) -> None:
        """Log an error with its exception, by default the one being handled; without local variables."""
        self._logger.error(message, exc_info=cause or True, extra={"fields": fields, "text": None})

    def log(
        self, level: LogLevel, message: str, fields: Mapping[str, object], text: str | None = None
    ) -> None:
        """Log a line; ``text`` stands for message and fields where people read."""
        self._logger.log(level.number, message, extra={"fields": fields, "text": text})


@contextmanager
def log_level(level: LogLevel) -> Iterator[None]:
    """Omit lines below that level inside the context; of libraries, also below warning."""
    own, every = logging.getLogger(_ROOT), logging.getLogger()
    before = own.level, every.level
    own.setLevel(level.number)
    # SQLAlchemy would log statements with their values.
    every.setLevel(max(level.number, logging.WARNING))
    try:
        yield
    finally:
        own.setLevel(before[0])
        every.setLevel(before[1])


def logger_name(record: logging.LogRecord) -> str:
    """The record's logger, of the program's own without the package."""
    return record.name.removeprefix(f"{_ROOT}.")
