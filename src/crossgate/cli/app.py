"""The verbs of ``crossgate``, each from a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.verbs.apply import apply
from crossgate.cli.verbs.check import check
from crossgate.cli.verbs.explain import explain
from crossgate.cli.verbs.export import export
from crossgate.cli.verbs.node import node
from crossgate.cli.verbs.nodes import nodes
from crossgate.cli.verbs.plan import plan
from crossgate.cli.verbs.prove import prove
from crossgate.cli.verbs.revisions import revisions
from crossgate.cli.verbs.rollback import rollback
from crossgate.cli.verbs.run import run
from crossgate.cli.verbs.schema import schema
from crossgate.cli.verbs.token import token

app = typer.Typer(
    name="crossgate",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(node)
app.command()(check)
app.command()(explain)
app.command()(prove)
app.command()(schema)
app.command()(plan)
app.command()(apply)
app.command()(export)
app.command()(revisions)
app.command()(rollback)
app.command()(nodes)
app.add_typer(token, name="token")


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"crossgate {version('crossgate')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """An API gateway that enforces Cross-Origin Resource Sharing.

    Each verb says more with --help. Exit codes: 0 fine, 1 findings or differences, 2 bad use or bad input.
    """
