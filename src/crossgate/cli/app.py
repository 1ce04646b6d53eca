"""The verbs of ``crossgate``, each from a file of its own."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from crossgate.cli.node import node
from crossgate.cli.run import run

app = typer.Typer(
    name="crossgate",
    help="An API gateway that enforces Cross-Origin Resource Sharing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(node)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossgate {version('crossgate')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Each verb says more with --help."""
