"""Diagnostics of an import about values that are left out or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from crossgate.diagnostics import Diagnostic, Place, Severity, printable


class Report:
    """Collects the diagnostics of one import."""

    def __init__(self, diagnostics: Iterable[Diagnostic] = ()) -> None:
        self.diagnostics = list(diagnostics)

    def error(self, code: str, message: str, remedy: str, place: Place, found: str | None = None) -> None:
        """Add an error, which refuses the import."""
        self.diagnostics.append(Diagnostic(code, message, remedy, place, found))

    def warning(self, code: str, message: str, remedy: str, place: Place, found: str | None = None) -> None:
        """Add what could not be taken over exactly."""
        self.diagnostics.append(Diagnostic(code, message, remedy, place, found, Severity.WARNING))

    def info(self, code: str, message: str, remedy: str, place: Place, found: str | None = None) -> None:
        """Add what differs without a loss."""
        self.diagnostics.append(Diagnostic(code, message, remedy, place, found, Severity.INFO))

    def left_out(self, what: str, why: Diagnostic, place: Place) -> None:
        """Add that a value is left out, and why; ``what`` names it: ``allowed_origins``."""
        message = f"left out of {what}: {why.message}"
        self.diagnostics.append(replace(why, message=message, place=place, severity=Severity.WARNING))


def printable_diagnostic(one: Diagnostic) -> Diagnostic:
    """The diagnostic with what it shows of a document made printable."""
    found = None if one.found is None else printable(one.found)
    return replace(one, message=printable(one.message), remedy=printable(one.remedy), found=found)
