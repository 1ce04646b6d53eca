"""Arguments and options that several verbs share, so that they are called and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DocumentFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The YAML document that declares everything.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
