"""``crossgate nodes``: who is connected, and what each runs."""

from __future__ import annotations

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, Token


def nodes(*, server: Server = DEFAULT_SERVER, token: Token = "", as_json: AsJson = False) -> None:
    """List the nodes of a control plane, the revision that each runs, and what each refused.

    Exit codes: 0 every node runs the newest revision, 1 one does not, 2 the gateway refuses.
    """
    from crossgate.cli.admin_client import Remote
    from crossgate.cli.output.console import print_json, printable, stdout
    from crossgate.cli.output.tables import print_rows
    from crossgate.compiler.concerned import made_for

    with Remote(server, token) as remote:
        answer = remote.get("/v1/nodes").value
    found = answer["items"]
    if as_json:
        print_json(answer)
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
                refused = f"{one['node']} refused {rejection['resource']}{made_for(rejection['apis'])}"
                console.print(printable(f"{refused}: {rejection['message']}"))
    raise typer.Exit(0 if all(one["current"] for one in found) else 1)
