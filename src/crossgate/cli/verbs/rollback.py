"""``crossgate rollback REVISION``: restore an earlier state, as a new revision."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Message, Server, ServerInClearText, Token
from crossgate.cli.confirm import Yes, confirm
from crossgate.cli.finish import finish_change
from crossgate.cli.output.changes import print_lint
from crossgate.cli.output.console import stdout
from crossgate.cli.rollout_wait import Wait, WaitSeconds, check_wait_options


def rollback(
    number: Annotated[
        int,
        typer.Argument(metavar="REVISION", min=0, help="The revision to restore; 0 is the empty catalogue."),
    ],
    *,
    message: Message = "",
    yes: Yes = False,
    wait: Wait = False,
    timeout: WaitSeconds = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Restore the state of a revision as a new revision; the history keeps those in between."""
    check_wait_options(wait, timeout)
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        path = f"/v1/revisions/{number}/rollback"
        planned = api.get(path)
        confirmed = str(confirm(planned.value, yes=yes)).lower()
        sent = api.send("POST", path, if_match=planned.etag, confirm=confirmed, message=message)
        applied = sent.value
        if not as_json:
            print_lint(stdout(), applied)
        finish_change(api, applied, planned.value["base"], wait=wait, timeout=timeout, as_json=as_json)
