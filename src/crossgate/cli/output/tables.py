"""Rows with a heading: a table in a terminal, tab-separated lines without a heading in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossgate.cli.output.console import printable


def print_rows(console: Console, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print them; nothing in them can move a cursor, or end a line or a column."""
    if not console.is_terminal:
        for row in rows:
            # Rich would turn tabs into blanks.
            console.file.write("\t".join(map(printable, row)) + "\n")
        return
    table = Table(*heading, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)
