"""``crossgate rollback REVISION``: restore an earlier state, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Message, Server, ServerInClearText, Token
from crossgate.cli.output.changes import print_applied, print_lint
from crossgate.cli.output.console import print_json, stdout


def rollback(
    number: Annotated[
        int,
        typer.Argument(metavar="REVISION", min=0, help="The revision to restore; 0 is the empty catalogue."),
    ],
    *,
    message: Message = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Restore the state of a revision as a new revision; the history keeps those in between."""
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        applied = api.send("POST", f"/v1/revisions/{number}/rollback", if_match="*", message=message).value
    if as_json:
        print_json(applied)
    else:
        print_lint(stdout(), applied)
        print_applied(stdout(), applied)
