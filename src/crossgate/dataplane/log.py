"""Envoy's log: how it is asked to write, and how that is read back.

One message is one line, because Envoy escapes the line feeds in it. What the loader or a dying C++
runtime print has no such form; it is kept as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FORMAT = "%Y-%m-%dT%T.%e%z|%l|%n|%v"
LONGEST_LINE = 64 * 1024
_LINE = re.compile(r"[-0-9:.T+]{20,}\|(?P<level>[a-z]+)\|(?P<component>[^|]*)\|(?P<message>.*)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|x[0-9a-fA-F]{2}|.)")
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "critical": "critical",
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message of Envoy: ``level`` as Python's logging names it; ``component`` is "" for raw output."""

    level: str
    component: str
    message: str


def parse(line: str) -> LogLine:
    """The message on ``line``; anything that isn't in Envoy's form is raw output, and an error."""
    match = _LINE.fullmatch(line)
    if match is None or match["level"] not in _LEVELS:
        return LogLine("error", "", line)
    return LogLine(_LEVELS[match["level"]], match["component"], _unescape(match["message"]))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescape_one, text.encode()).decode(errors="replace")


def _unescape_one(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 1:
        return _NAMED.get(escape, escape)
    return bytes([int(escape[1:], 16) if escape.startswith(b"x") else int(escape, 8) & 0xFF])


class LineSplitter:
    """Bytes in, whole lines out. A line longer than ``LONGEST_LINE`` bytes is cut, and its rest dropped."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes; empty ones are left out."""
        *whole, rest = data.split(b"\n")
        lines = []
        for part in whole:
            self._take(part)
            lines += self.end()
        self._take(rest)
        return lines

    def end(self) -> list[str]:
        """The line that was begun, at the end of the output."""
        line = self._begun.decode(errors="replace").rstrip("\r")
        self._begun.clear()
        return [line] if line else []

    def _take(self, part: bytes) -> None:
        self._begun += part[: LONGEST_LINE - len(self._begun)]
