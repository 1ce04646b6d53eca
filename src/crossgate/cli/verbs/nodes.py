"""``crossgate nodes``: the connected nodes, and the revision that each runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console

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
        _print_certificates(console, found)
    if not found:
        print_findings(stderr(), [no_node()])
    raise typer.Exit(0 if found and all(one["current"] for one in found) else 1)


def _print_certificates(console: Console, nodes: Sequence[Any]) -> None:
    """The certificates of all nodes, and what is wrong with them; nothing without any."""
    # A control plane of version 0.1 knows of none.
    found = [(one["node"], state) for one in nodes for state in one.get("certificates", ())]
    if not found:
        return
    console.print()
    print_rows(
        console,
        ("node", "certificate", "names", "expires", "state"),
        [
            (
                node,
                state["certificate"],
                ", ".join(state["names"]) or "-",
                "-" if state["not_after"] is None else state["not_after"][:19] + "Z",
                _served(state),
            )
            for node, state in found
        ],
    )
    for node, state in found:
        for problem in state["problems"]:
            where = problem["found"] or state["certificate"]
            console.print(printable(f"{node} {where}: {problem['severity']}: {problem['message']}"))


def _served(state: Mapping[str, Any]) -> str:
    """What the node's Envoy has of a certificate, in a word."""
    if not state["problems"]:
        return "ok"
    if state["current"]:
        return "see below"
    return "last good one" if state["not_after"] else "none"
