"""Where and how verbs print: coloured in a terminal, plain in a pipe, without foreign escape sequences."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from crossgate.diagnostics import printable

__all__ = ["print_json", "print_rows", "printable", "stderr", "stdout"]


def stdout() -> Console:
    """Standard output, for results."""
    return _console(to_stderr=False)


def stderr() -> Console:
    """Standard error, for refusals of verbs whose result is something else."""
    return _console(to_stderr=True)


def _console(*, to_stderr: bool) -> Console:
    return Console(stderr=to_stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)


def print_json(value: object) -> None:
    """Print one JSON value, in ASCII, so that no string in it can control a terminal."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def print_rows(console: Console, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in a terminal, or tab-separated lines without the heading in a pipe."""
    if not console.is_terminal:
        for row in rows:
            # Not by the console: it would expand the tabs.
            console.file.write("\t".join(map(printable, row)) + "\n")
        return
    # A cell that is too wide goes on in the next line: rich would cut it.
    columns = (Column(name, overflow="fold") for name in heading)
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)
