"""Diagnostics: what is wrong, where, what was found there and what to do about it, as data.

Every package creates them. The command line, the admin API and SARIF output render them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

Step = str | int
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_STEP = 300
_MAX_FOUND = 1000
"""Characters that are shown. One key of the input can be megabytes, and each error below it repeats it."""


class Severity(StrEnum):
    """How serious a diagnostic is: an error refuses the input, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in some input: a path of keys and indices; with file, line and column if it is a file.

    Lines and columns count from 1.
    """

    path: tuple[Step, ...] = ()
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def at(self, *steps: Step) -> Place:
        """The place at these steps below; its line and column are unknown."""
        return replace(self, path=(*self.path, *steps), line=None, column=None)

    @property
    def json_path(self) -> str:
        """The path in JSONPath notation: ``$.apis[0].cors`` (RFC 9535, §2.5), long keys shortened."""
        return "$" + "".join(_render_step(step) for step in self.path)

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        if not self.path:
            return position
        return f"{position} {self.json_path}" if position else self.json_path


def _render_step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    step = _shorten(step, _MAX_STEP)
    if _IDENTIFIER.fullmatch(step):
        return f".{step}"
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a stable ``code``, what is wrong, what was found there, and what to do about it."""

    code: str
    message: str
    remedy: str
    place: Place = Place()
    found: str | None = None
    severity: Severity = Severity.ERROR

    def within(self, *steps: Step) -> Diagnostic:
        """The diagnostic as seen from an enclosing object: ``steps`` precede its path."""
        return replace(self, place=replace(self.place, path=(*steps, *self.place.path)))

    def as_json(self) -> dict[str, object]:
        """The diagnostic as JSON-ready values."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "found": None if self.found is None else _shorten(self.found, _MAX_FOUND),
            "remedy": self.remedy,
            "path": self.place.json_path,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
        }

    def __str__(self) -> str:
        place = f"{self.place}: " if str(self.place) else ""
        found = f" (found {_shorten(self.found, _MAX_FOUND)})" if self.found is not None else ""
        return f"{place}{self.severity.value}: {self.message}{found}. {self.remedy} [{self.code}]"


def printable(text: str) -> str:
    """The string with every character escaped that could control a terminal, or turn text around."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def count_by_severity(diagnostics: Iterable[Diagnostic]) -> str:
    """How many there are of each severity, the worst first: ``2 errors, 1 warning``."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severity, severities.count(severity)) for severity in Severity]
    return ", ".join(
        f"{count} {severity.value}{'' if count == 1 or severity is Severity.INFO else 's'}"
        for severity, count in counts
        if count
    )


class InvalidInput(ValueError):  # noqa: N818 - it names what was given, as the messages do
    """Input was refused; ``diagnostics`` holds every error, not only the first."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))
