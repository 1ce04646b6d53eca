"""``crossgate stats``: how many requests were allowed and refused."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, ServerInClearText, Token
from crossgate.cli.output.console import print_json, print_rows, stdout
from crossgate.cli.times import parse_since


def stats(
    *,
    api: Annotated[str, typer.Option(metavar="NAME/VERSION", help="Only of this API.")] = "",
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="Count from this hour: 24h, 7d, 2026-11-01, …", show_default="24h"),
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Count to this time.", show_default="now")] = "",
    by_hour: Annotated[bool, typer.Option("--by-hour", help="Show each hour.")] = False,
    by_node: Annotated[
        bool,
        typer.Option("--by-node", help="Show all that each node has counted. Not with --since and --until."),
    ] = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Show decisions by API, endpoint, flow and reason. Counts are exact."""
    if by_hour and by_node:
        raise typer.BadParameter("choose one of --by-hour and --by-node")
    query = {
        "api": api,
        "since": parse_since(since, "--since"),
        "until": parse_since(until, "--until"),
        "by": "hour" if by_hour else "node" if by_node else "none",
    }
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
        found = client.pages("/v1/stats", **query)
    if as_json:
        print_json(found)
        return
    split = "hour" if by_hour else "node" if by_node else ""
    print_rows(
        stdout(),
        ("decisions", "API", "flow", "reason", "endpoint", *([split] if split else [])),
        [
            (
                str(one["decisions"]),
                one["api"] or "-",
                one["flow"],
                one["reason"] + (" (observed)" if one["observed"] else ""),
                one["endpoint"] or "-",
                *([one[split] or "-"] if split else []),
            )
            for one in found["items"]
        ],
    )
