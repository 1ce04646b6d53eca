"""``crossgate export``: the document of a running gateway."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import (
    DEFAULT_SERVER,
    Selector,
    Server,
    ServerInClearText,
    Token,
    check_selector,
)


def export(
    *,
    revision: Annotated[
        int | None,
        typer.Option(min=0, metavar="REVISION", help="The revision to print.", show_default="the newest"),
    ] = None,
    selector: Selector = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
) -> None:
    """Print the document that reproduces a gateway's state; the same state gives the same bytes.

    With --selector it has the selected APIs and applications only: what `apply --selector` takes.
    """
    selected = check_selector(selector)
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        response = api.get("/v1/export", revision="" if revision is None else revision, selector=selected)
    sys.stdout.write(response.text)
