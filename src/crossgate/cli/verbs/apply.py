"""``crossgate apply FILE``: make a running gateway what a document says."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, DocumentFile, Note, Prune, Server, Token


def apply(
    file: DocumentFile,
    *,
    prune: Prune = False,
    message: Note = "",
    base: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="REVISION",
            help="Refuse if there is a newer revision than this, the one that a plan was made on.",
            show_default="the newest",
        ),
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Apply a document as one revision: all of it, or nothing if anything in it is refused.

    What the document does not have stays, unless --prune says otherwise.
    """
    from crossgate.cli.admin_client import Remote
    from crossgate.cli.documents import load_to_send
    from crossgate.cli.output.changes import print_applied, print_plan
    from crossgate.cli.output.console import print_json, stdout

    document = load_to_send(file)
    pruned = str(prune).lower()
    with Remote(server, token) as remote:
        planned = remote.send("POST", "/v1/plan", document, prune=pruned)
        # What is shown is what is done: a change that comes between the two is a refusal.
        tag = planned.tag if base is None else f'"revision-{base}"'
        applied = remote.send(
            "POST", "/v1/apply", document, if_match=tag, prune=pruned, message=message
        ).value
    if as_json:
        print_json(applied)
    else:
        print_plan(stdout(), planned.value)
        print_applied(stdout(), applied)
