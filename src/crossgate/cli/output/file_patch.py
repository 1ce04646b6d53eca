"""The patch of the file that a gateway runs, for a change that would be made to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from crossgate.catalogue.yaml.files import read_text
from crossgate.cli.admin_client import parse_diagnostic
from crossgate.cli.output.console import stderr
from crossgate.cli.output.refusals import print_patch
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.file_patch import make_patch


def find_file_patch(file: str, change: Mapping[str, Any]) -> str | None:
    """The unified diff of the file, which keeps comments; None if a program cannot edit the file.

    Raises:
        InvalidInput: the change would be refused, or the file cannot be read.

    """
    if change["refused"]:
        raise InvalidInput(parse_diagnostic(one) for one in change["refused"])
    text = read_text(Path(file))
    if isinstance(text, Diagnostic):
        raise InvalidInput([text])
    return make_patch(file, text, change["objects"])


def print_file_patch(console: Console, file: str, patch: str | None, change: Mapping[str, Any]) -> None:
    """Print the patch of the file; without one, that of the objects, and a line to standard error says so."""
    if patch is None:
        stderr().print(f"Edit {file} by hand: the file has other objects than the gateway, or another form")
        print_patch(console, change["patch"])
    elif console.is_terminal:
        print_patch(console, patch)
    else:
        # For a program: escapes would change lines of the file, such as those with a tab.
        console.file.write(patch)
