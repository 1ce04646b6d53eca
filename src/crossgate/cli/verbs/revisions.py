"""``crossgate revisions``: the history of changes, and what nodes made of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from crossgate.cli.admin_client import AdminApiClient, QueryValue
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, ServerInClearText, Token
from crossgate.cli.output.changes import print_changes
from crossgate.cli.output.console import print_json, print_rows, stdout
from crossgate.diagnostics import Diagnostic, InvalidInput


def revisions(
    number: Annotated[
        int | None,
        typer.Argument(metavar="REVISION", help="Show this revision with its changes.", show_default=False),
    ] = None,
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=500, metavar="N", help="Maximum number of revisions, newest first.")
    ] = 20,
    api: Annotated[
        str,
        typer.Option(metavar="NAME/VERSION", help="Only those that changed this API."),
    ] = "",
    application: Annotated[
        str, typer.Option(metavar="NAME", help="Only those that changed this application.")
    ] = "",
    author: Annotated[str, typer.Option(metavar="NAME", help="Only those of this token or person.")] = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """List revisions, or show one."""
    only: dict[str, QueryValue] = {"api": api, "application": application, "author": author}
    if number is not None and any(only.values()):
        raise InvalidInput([_only_for_lists()])
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
        if number is None:
            response = client.get("/v1/revisions", limit=limit, **only).value
        else:
            response = client.get(f"/v1/revisions/{number}").value
    if as_json:
        print_json(response)
        return
    console = stdout()
    found = [response] if number is not None else response["items"]
    print_rows(
        console,
        ("revision", "time", "author", "objects", "nodes", "message"),
        [
            (
                str(one["number"]),
                one["at"][:19] + "Z",
                one["author"],
                str(one["objects"]),
                _outcomes(one),
                _message(one),
            )
            for one in found
        ],
    )
    if number is not None:
        print_changes(console, [{**one, "action": _action(one)} for one in response["changes"]])


def _only_for_lists() -> Diagnostic:
    return Diagnostic(
        "option-conflict",
        "--api, --application and --author have no effect on a single revision",
        "Leave out the number, or these options",
    )


def _outcomes(revision: Mapping[str, Any]) -> str:
    outcomes = [one["outcome"] for one in revision["nodes"]]
    counted = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    return ", ".join(f"{count} {outcome}" for outcome, count in counted.items()) or "-"


def _message(revision: Mapping[str, Any]) -> str:
    restored = revision["rolls_back_to"]
    words = [f"rollback to {restored}"] if restored is not None else []
    return ": ".join([*words, *([revision["message"]] if revision["message"] else [])])


def _action(change: Mapping[str, Any]) -> str:
    if change["before"] is None:
        return "add"
    return "remove" if change["after"] is None else "change"
