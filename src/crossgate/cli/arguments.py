"""Arguments and options that several verbs share, so that they are called and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DocumentFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The YAML document that declares everything.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DataDirectory = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Keep the store in this directory.",
        show_default="~/.local/share/crossgate",
    ),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="CROSSGATE_DATABASE",
        show_envvar=False,
        help="Keep the store in PostgreSQL: postgresql://user@host/name. Also from CROSSGATE_DATABASE.",
    ),
]
Server = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="CROSSGATE_SERVER",
        show_envvar=False,
        help="The admin API of the gateway. Also from CROSSGATE_SERVER.",
    ),
]
Token = Annotated[
    str,
    typer.Option(
        metavar="SECRET",
        envvar="CROSSGATE_TOKEN",
        show_envvar=False,
        help="A token for it; better from CROSSGATE_TOKEN, for arguments can be seen by others.",
    ),
]
Note = Annotated[
    str, typer.Option("--message", "-m", metavar="TEXT", help="What it is for; kept with the revision.")
]
Prune = Annotated[bool, typer.Option("--prune", help="Remove what the document does not have.")]
DEFAULT_SERVER = "http://127.0.0.1:8090"
