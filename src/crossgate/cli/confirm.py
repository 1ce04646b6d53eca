"""Asks before a change that is rarely meant: one that removes much, or changes the listener."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

import typer

from crossgate.cli.admin_client import parse_diagnostic
from crossgate.cli.output.changes import print_confirmation
from crossgate.cli.output.console import stderr
from crossgate.diagnostics import Diagnostic, InvalidInput, Severity

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Make the change even if it removes many objects or changes the listener. Without it, a"
        " terminal shows a question, and without a terminal the change is refused.",
    ),
]
_REFUSED: Final = 2


def confirm(plan: Mapping[str, Any], *, yes: bool) -> bool:
    """Whether the change has to be sent as confirmed; at a terminal, the person decides first.

    Raises:
        InvalidInput: it has to be confirmed, and there is no terminal.
        Exit: the person does not want it.

    """
    reasons = [parse_diagnostic(one) for one in plan.get("confirmation", ())]
    if not reasons or yes:
        return bool(reasons)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InvalidInput(map(_refusal, reasons))
    print_confirmation(stderr(), plan)
    if not _asked():
        stderr().print("Nothing is changed")
        raise typer.Exit(_REFUSED)
    return True


def _asked() -> bool:
    # Typer's own question writes a space to standard output, which may be read as JSON.
    sys.stderr.write("Make this change? [y/N]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _refusal(reason: Diagnostic) -> Diagnostic:
    return replace(
        reason,
        severity=Severity.ERROR,
        message=f"the change must be confirmed: {reason.message}",
        remedy="Look at what `crossgate plan` shows, then repeat the command with --yes",
    )
