"""``crossgate export``: the document that reproduces a running gateway."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, Server, Token


def export(
    *,
    revision: Annotated[
        int | None, typer.Option(min=0, metavar="NUMBER", help="As it was then.", show_default="the newest")
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Print the document that reproduces the state; the same bytes while nothing changes."""
    from crossgate.cli.admin_client import Remote

    with Remote(server, token) as remote:
        answer = remote.get("/v1/export", revision="" if revision is None else revision)
    sys.stdout.write(answer.text)
