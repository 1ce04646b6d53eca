"""``crossgate apply FILE...``: change a running gateway to match documents."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import (
    DEFAULT_SERVER,
    AsJson,
    DocumentFiles,
    Message,
    Prune,
    Server,
    ServerInClearText,
    Token,
)
from crossgate.cli.documents import load_for_admin_api
from crossgate.cli.output.changes import print_applied, print_plan
from crossgate.cli.output.console import print_json, stdout


def apply(
    files: DocumentFiles,
    *,
    prune: Prune = False,
    message: Message = "",
    base: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="REVISION",
            help="Refuse if the newest revision is not this one, the one that was planned against.",
            show_default="the newest",
        ),
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Apply documents as one revision: all of it, or nothing if any part is refused.

    Objects that the documents do not contain stay, unless --prune is given.
    """
    document = load_for_admin_api(files)
    pruned = str(prune).lower()
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        planned = api.send("POST", "/v1/plan", document, prune=pruned)
        # What is printed is what is applied: a revision that comes between the two requests is a refusal.
        etag = planned.etag if base is None else f'"revision-{base}"'
        applied = api.send("POST", "/v1/apply", document, if_match=etag, prune=pruned, message=message).value
    if as_json:
        print_json(applied)
    else:
        print_plan(stdout(), planned.value)
        print_applied(stdout(), applied)
