"""``crossgate plan FILE...``: what applying documents would change in a running gateway."""

from __future__ import annotations

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import (
    DEFAULT_SERVER,
    AsJson,
    DocumentFiles,
    Prune,
    Selector,
    Server,
    ServerInClearText,
    Token,
    check_selector,
)
from crossgate.cli.documents import load_for_admin_api
from crossgate.cli.output.changes import print_plan
from crossgate.cli.output.console import print_json, stdout


def plan(
    files: DocumentFiles,
    *,
    prune: Prune = False,
    selector: Selector = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Show what `apply` would change: objects, origins that gain or lose access, and lint findings."""
    query = {"prune": str(prune).lower(), "selector": check_selector(selector)}
    document = load_for_admin_api(files)
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        planned = api.send("POST", "/v1/plan", document, **query).value
    if as_json:
        print_json(planned)
    else:
        print_plan(stdout(), planned)
    refused = any(finding["refuses"] for finding in planned["findings"])
    raise typer.Exit(2 if refused else 1 if planned["changes"] else 0)
