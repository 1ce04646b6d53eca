"""Diagnostics for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import printable, stderr
from crossgate.diagnostics import Diagnostic, Severity

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def print_refusal(diagnostics: Sequence[Diagnostic]) -> None:
    """Print why a verb refuses its input, to standard error."""
    print_findings(stderr(), diagnostics)


def print_findings(console: Console, findings: Sequence[Diagnostic]) -> None:
    """Print each finding: on several lines in a terminal, on one line in a pipe, as compilers do."""
    for finding in findings:
        if console.is_terminal:
            console.print(_on_several_lines(finding))
        else:
            console.print(printable(str(finding)))


def _on_several_lines(finding: Diagnostic) -> Text:
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
