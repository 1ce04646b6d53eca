"""``crossgate nodes``: the connected nodes, and the revision that each runs."""

from __future__ import annotations

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, ServerInClearText, Token
from crossgate.cli.output.console import print_json, print_rows, printable, stderr, stdout
from crossgate.cli.output.findings import print_findings
from crossgate.cli.rollout_wait import no_node
from crossgate.compiler.names import used_by


def nodes(
    *,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """List the nodes of a control plane, the revision that each runs, and the resources that it rejected."""
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        response = api.get("/v1/nodes").value
    found = response["items"]
    if as_json:
        print_json(response)
    else:
        console = stdout()
        print_rows(
            console,
            ("node", "revision", "resources", "pending", "rejected", "connected"),
            [
                (
                    one["node"],
                    "-" if one["revision"] is None else str(one["revision"]),
                    str(one["resources"]),
                    str(one["pending"]),
                    str(len(one["rejections"])),
                    one["connected_at"][:19] + "Z",
                )
                for one in found
            ],
        )
        for one in found:
            for rejection in one["rejections"]:
                rejected = f"{one['node']} rejected {rejection['resource']}{used_by(rejection['apis'])}"
                console.print(printable(f"{rejected}: {rejection['message']}"))
    if not found:
        print_findings(stderr(), [no_node()])
    raise typer.Exit(0 if found and all(one["current"] for one in found) else 1)
