"""Diagnostics for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import printable
from crossgate.diagnostics import Diagnostic, Severity

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def print_findings(console: Console, findings: Sequence[Diagnostic]) -> None:
    """Every finding: in a terminal over several lines, in a pipe one line each, as compilers have it."""
    for finding in findings:
        if console.is_terminal:
            console.print(_over_lines(finding))
        else:
            console.print(printable(str(finding)))


def count_findings(findings: Sequence[Diagnostic]) -> str:
    """How many there are of each severity: ``2 errors, 1 warning``."""
    counts = []
    for severity in Severity:
        count = sum(finding.severity is severity for finding in findings)
        if count:
            plural = "" if count == 1 or severity is Severity.INFO else "s"
            counts.append(f"{count} {severity.value}{plural}")
    return ", ".join(counts)


def exit_code(findings: Sequence[Diagnostic]) -> int:
    """2 if the input is refused, 1 if there is something to look at, else 0."""
    if any(finding.severity is Severity.ERROR for finding in findings):
        return 2
    return 1 if findings else 0


def _over_lines(finding: Diagnostic) -> Text:
    position = ":".join(
        str(part)
        for part in (finding.place.file, finding.place.line, finding.place.column)
        if part is not None
    )
    text = Text()
    if position:
        text.append(printable(f"{position} "), "bold")
    text.append(finding.severity.value, _STYLES[finding.severity])
    text.append(f" {printable(finding.message)}\n")
    for label, value in (
        ("found", finding.found),
        ("at", finding.place.json_path if finding.place.path else None),
        ("remedy", finding.remedy),
        ("code", finding.code),
    ):
        if value is not None:
            text.append(f"  {label:<7}", "dim")
            text.append(printable(value) + "\n", "green" if label == "remedy" else "")
    return text
