"""What is wrong, said on standard error: place, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from crossgate.diagnostics import Diagnostic, Severity

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Print every finding, one after another."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for diagnostic in diagnostics:
        console.print(_render(diagnostic))


def _render(diagnostic: Diagnostic) -> Text:
    text = Text()
    if str(diagnostic.place):
        text.append(f"{diagnostic.place}: ", "bold")
    text.append(diagnostic.severity.value, _COLOURS[diagnostic.severity])
    text.append(f": {diagnostic.message}")
    if diagnostic.found is not None:
        text.append(f" (found {diagnostic.found})")
    text.append(f". {diagnostic.remedy}")
    text.append(f" [{diagnostic.code}]", "dim")
    return text
