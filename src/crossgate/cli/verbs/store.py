"""``crossgate store``: the store of a gateway, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossgate.cli.app import VERBS
from crossgate.cli.arguments import AsJson
from crossgate.cli.output.console import print_json
from crossgate.cli.stores import existing_store
from crossgate.diagnostics import InvalidInput
from crossgate.service.errors import ServiceError
from crossgate.store import SqliteDirectory
from crossgate.store.backup import back_up

store = typer.Typer(no_args_is_help=True, help=VERBS["store"], rich_markup_mode="markdown")


@store.callback()
def _group() -> None:
    """Without it, a group of one command would be that command."""


@store.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file for the backup.")],
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Directory of the store.",
            show_default="the user's own directory, as for `crossgate run`",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy an SQLite store to a file, while the gateway runs or not.

    The copy is one consistent state, checked, and readable by this user only. For PostgreSQL, use pg_dump.
    """
    location = existing_store(data, "")
    if not isinstance(location, SqliteDirectory):  # pragma: no cover - only a database is anything else
        raise TypeError(location)
    try:
        revision = back_up(location, file)
    except ServiceError as refused:
        raise InvalidInput(refused.diagnostics) from refused
    if as_json:
        print_json({"file": str(file), "revision": revision})
    else:
        typer.echo(f"{file}: revision {revision}")
