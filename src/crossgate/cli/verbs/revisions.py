"""``crossgate revisions``: who changed what, when and why, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Server, Token

if TYPE_CHECKING:
    from collections.abc import Mapping


def revisions(
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[NUMBER]", help="Show this one with all that it changed.", show_default=False
        ),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 20,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """List revisions, or show one."""
    from crossgate.cli.admin_client import Remote
    from crossgate.cli.output.console import print_json, stdout
    from crossgate.cli.output.tables import print_rows

    with Remote(server, token) as remote:
        path = "/v1/revisions" if number is None else f"/v1/revisions/{number}"
        answer = remote.get(path, limit=limit if number is None else "").value
    if as_json:
        print_json(answer)
        return
    console = stdout()
    found = [answer] if number is not None else answer["items"]
    print_rows(
        console,
        ("revision", "time", "author", "objects", "on the nodes", "message"),
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
        from crossgate.cli.output.changes import print_changes

        print_changes(console, [{**one, "action": _action(one)} for one in answer["changes"]])


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
