"""``crossgate rollback N``: back to an earlier state, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Note, Server, Token


def rollback(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=0, help="The revision; 0 is the empty catalogue.")
    ],
    *,
    message: Note = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Restore the state of a revision as a new one; what came between stays in the history."""
    from crossgate.cli.admin_client import Remote
    from crossgate.cli.output.changes import print_applied, print_stated
    from crossgate.cli.output.console import print_json, stdout

    with Remote(server, token) as remote:
        answer = remote.send("POST", f"/v1/revisions/{number}/rollback", if_match="*", message=message)
    if as_json:
        print_json(answer.value)
    else:
        print_stated(stdout(), answer.value)
        print_applied(stdout(), answer.value)
