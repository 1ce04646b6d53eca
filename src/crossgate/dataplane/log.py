"""Envoy's log: its format, the parser for it, and the last errors that explain an exit.

One message is one line, because Envoy escapes the line feeds in it. Output of the dynamic loader or of a
crashing C++ runtime has no such format and is kept as it is.
"""

from __future__ import annotations

import re
from asyncio import StreamReader
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from crossgate.service.log import LogLevel

FORMAT: Final = "%Y-%m-%dT%T.%e%z|%l|%n|%v"
"""Envoy's ``--log-format``: time, level, component, message."""
LONGEST_LINE: Final = 64 * 1024

_CHUNK = 64 * 1024
_LINE = re.compile(r"[-0-9:.T+]{20,}\|(?P<level>[a-z]+)\|(?P<component>[^|]*)\|(?P<message>.*)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|x[0-9a-fA-F]{2}|.)")
_NAMED_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
# Envoy's levels → the log's.
_LEVELS = {
    "trace": LogLevel.DEBUG,
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warning": LogLevel.WARNING,
    "error": LogLevel.ERROR,
    "critical": LogLevel.ERROR,
}
_TAIL_LINES = 5
_LONGEST_TAIL_LINE = 600


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message of Envoy; ``component`` is "" for raw output."""

    level: LogLevel
    component: str
    message: str


def parse_line(line: str) -> LogLine:
    """The message on ``line``; a line that is not in Envoy's format is raw output of level error."""
    match = _LINE.fullmatch(line)
    if match is None or match["level"] not in _LEVELS:
        return LogLine(LogLevel.ERROR, "", line)
    return LogLine(_LEVELS[match["level"]], match["component"], _unescape(match["message"]))


def _unescape(message: str) -> str:
    return _ESCAPE.sub(_unescape_one, message.encode()).decode(errors="replace")


def _unescape_one(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 1:
        return _NAMED_ESCAPES.get(escape, escape)
    return bytes([int(escape[1:], 16) if escape.startswith(b"x") else int(escape, 8) & 0xFF])


class LineSplitter:
    """Splits a byte stream into lines. A line longer than ``LONGEST_LINE`` bytes is truncated."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes, without empty ones."""
        *complete, rest = data.split(b"\n")
        lines = []
        for part in complete:
            self._append(part)
            lines += self.flush()
        self._append(rest)
        return lines

    def flush(self) -> list[str]:
        """The incomplete line at the end of the output, if any."""
        line = self._partial.decode(errors="replace").rstrip("\r")
        self._partial.clear()
        return [line] if line else []

    def _append(self, part: bytes) -> None:
        self._partial += part[: LONGEST_LINE - len(self._partial)]


async def read_log(output: StreamReader) -> AsyncIterator[LogLine]:
    """The lines of a process's output, until it closes it."""
    splitter = LineSplitter()
    while data := await output.read(_CHUNK):
        for line in splitter.feed(data):
            yield parse_line(line)
    for line in splitter.flush():
        yield parse_line(line)


class LogTail:
    """The last few lines, errors before warnings, each shortened: the reason to give when Envoy exits."""

    def __init__(self) -> None:
        self._errors: deque[str] = deque(maxlen=_TAIL_LINES)
        self._raw: deque[str] = deque(maxlen=_TAIL_LINES)
        self._other: deque[str] = deque(maxlen=_TAIL_LINES)

    def add(self, line: LogLine) -> None:
        """Keep ``line`` until newer ones of its sort displace it."""
        if not line.component:
            self._raw.append(_shorten(line.message))
        elif line.level is LogLevel.ERROR:
            self._errors.append(_shorten(line.message))
        else:
            self._other.append(_shorten(line.message))

    @property
    def lines(self) -> tuple[str, ...]:
        """The errors, else raw output, else the rest.

        Raw output comes second: Envoy prints its last error once more, raw and broken into many lines.
        """
        return tuple(self._errors or self._raw or self._other)


def _shorten(message: str) -> str:
    message = " ".join(message.split())
    if len(message) <= _LONGEST_TAIL_LINE:
        return message
    # Envoy quotes a rejected configuration whole and gives the reason at the end.
    return f"{message[:120]} … {message[-(_LONGEST_TAIL_LINE - 123) :]}"
