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
        self.diagnostics.append(Diagnostic(code, message, remedy, place, _shown(found)))

    def warning(self, code: str, message: str, remedy: str, place: Place, found: str | None = None) -> None:
        """Add what could not be taken over exactly."""
        self.diagnostics.append(Diagnostic(code, message, remedy, place, _shown(found), Severity.WARNING))

    def info(self, code: str, message: str, remedy: str, place: Place, found: str | None = None) -> None:
        """Add what differs without a loss."""
        self.diagnostics.append(Diagnostic(code, message, remedy, place, _shown(found), Severity.INFO))

    def left_out(self, what: str, why: Diagnostic, place: Place) -> None:
        """Add that a value is left out, and why; ``what`` names it: ``allowed_origins``."""
        message = f"left out of {what}: {why.message}"
        self.diagnostics.append(
            replace(why, message=message, place=place, found=_shown(why.found), severity=Severity.WARNING)
        )


def _shown(found: str | None) -> str | None:
    return None if found is None else printable(found)
