"""``crossgate plan FILE``: what applying a document would change in a running gateway."""

from __future__ import annotations

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, DocumentFile, Prune, Server, Token


def plan(
    file: DocumentFile,
    *,
    prune: Prune = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show what would change: objects, which origins gain or lose access, and what the linter says of that.

    Exit codes: 0 nothing would change, 1 something would, 2 the document, the gateway or the linter refuses.
    """
    from crossgate.cli.admin_client import Remote
    from crossgate.cli.documents import load_to_send
    from crossgate.cli.output.changes import print_plan
    from crossgate.cli.output.console import print_json, stdout

    document = load_to_send(file)
    with Remote(server, token) as remote:
        planned = remote.send("POST", "/v1/plan", document, prune=str(prune).lower()).value
    if as_json:
        print_json(planned)
    else:
        print_plan(stdout(), planned)
    refused = any(finding["refuses"] for finding in planned["findings"])
    raise typer.Exit(2 if refused else 1 if planned["changes"] else 0)
