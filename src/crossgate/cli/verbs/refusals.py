"""``crossgate refusals``: who is refused, why, and what would allow them."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from typer.core import TyperGroup

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, Message, Server, ServerInClearText, Token
from crossgate.cli.output.console import print_json, stderr, stdout
from crossgate.cli.output.file_patch import find_file_patch, print_file_patch
from crossgate.cli.output.refusals import (
    print_allowed,
    print_group,
    print_readiness,
    print_refusals,
    print_state,
)
from crossgate.cli.times import parse_since
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import CUT, REST_UNKNOWN, DismissalReason

_ID: Final = re.compile(r"[0-9a-f]{12,64}")
_SHOW: Final = "show"
_UNDECIDED: Final = {one.value for one in GroupState if one.needs_decision}


class _RefusalsGroup(TyperGroup):
    """Shows one group if its id takes the place of a command; options may come before a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, the command first."""
        with_value = {name for one in self.params if not getattr(one, "is_flag", False) for name in one.opts}
        for index, word in enumerate(args):
            follows_option = index > 0 and args[index - 1] in with_value
            if not follows_option and (word in self.commands or _ID.fullmatch(word)):
                command = [_SHOW, word] if _ID.fullmatch(word) else [word]
                args = [*command, *args[:index], *args[index + 1 :]]
                break
        return super().parse_args(ctx, args)


refusals = typer.Typer(
    cls=_RefusalsGroup,
    invoke_without_command=True,
    add_completion=False,
    subcommand_metavar="[ID | COMMAND [ARGS]...]",
    rich_markup_mode="markdown",
)
GroupId = Annotated[str, typer.Argument(metavar="ID", help="The id of a group, from the list.")]


@refusals.callback()
def list_refusals(
    ctx: typer.Context,
    *,
    api: Annotated[
        str,
        typer.Option(
            metavar="NAME/VERSION",
            help="Only of this API, or of `server-level`. Shows too whether the API can be enforced.",
        ),
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only seen since then: 24h, 7d, 2026-11-01, …")
    ] = "",
    state: Annotated[
        list[GroupState] | None,
        typer.Option(
            help="Only in this state; `open` lists reopened ones too. Repeatable.", show_default="all states"
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="CODE", help="Only with this reason, such as origin-refused.")
    ] = "",
    origin: Annotated[str, typer.Option(metavar="TEXT", help="Only with this part in the origin.")] = "",
    observed: Annotated[
        bool | None,
        typer.Option(
            "--observed/--enforced",
            help="Only what observe mode forwarded, or only what was refused.",
            show_default="both",
        ),
    ] = None,
    text: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="TEXT",
            help="Only what a filter as a string finds: `api:petstore reason:origin is:open sort:clients "
            "since:24h`, and words of the origin, the API or what was requested.",
        ),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each group whenever it changes.")
    ] = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """List refused requests in groups, those with most requests first. With an ID, show one group."""
    if ctx.invoked_subcommand is not None:
        return
    query: dict[str, Any] = {
        "api": api,
        "since": parse_since(since, "--since"),
        "state": [one.value for one in state or ()],
        "reason": reason,
        "origin": origin,
        "observed": "" if observed is None else str(observed).lower(),
        "filter": text,
    }
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
        if follow:
            _follow(client, query, as_json=as_json)
            return
        found = client.pages("/v1/refusals", **query)
        readiness = _readiness(client, api)
    if as_json:
        print_json(found if readiness is None else {**found, "readiness": readiness})
    else:
        print_refusals(stdout(), found["items"], found["others"])
        if readiness is not None:
            print_readiness(stdout(), readiness)
    raise typer.Exit(any(one["state"] in _UNDECIDED for one in found["items"]))


@refusals.command(name=_SHOW)
def show(
    group: GroupId,
    *,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Show one group: why it was refused, what it looks like, and the changes that would allow it.

    `crossgate refusals ID` does the same.
    """
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
        found = client.get(_path(group)).value
    if as_json:
        print_json(found)
    else:
        print_group(stdout(), found)
    raise typer.Exit(found["state"] in _UNDECIDED)


@refusals.command()
def allow(
    group: GroupId,
    *,
    change: Annotated[int, typer.Option(min=1, metavar="N", help="The number of the suggested change.")] = 1,
    confirm: Annotated[
        str,
        typer.Option(metavar="ORIGIN", help="Repeat the origin, where something speaks against allowing it."),
    ] = "",
    message: Message = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Make one of the suggested changes, as a revision that the linter has checked.

    If the gateway runs a file, nothing is changed: the patch of the file is printed. With --json it is
    `patch`: null if the file has to be edited by hand.
    """
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as client:
        found = client.get(_path(group)).value
        if not 1 <= change <= len(found["changes"]):
            raise InvalidInput([_no_such_change(found, change)])
        suggested = found["changes"][change - 1]
        if found["file"] is not None:
            patch = find_file_patch(found["file"], suggested)
            if as_json:
                print_json({"file": found["file"], "patch": patch, "change": suggested})
            else:
                print_file_patch(stdout(), found["file"], patch, suggested)
            return
        # Each object that the change touches has to match one of them.
        if_match = ", ".join(f'"{one["etag"]}"' for one in suggested["objects"])
        body = {"change": change, "sentence": suggested["sentence"], "confirm": confirm}
        allowed = client.send(
            "POST", f"{_path(group)}/allow", body, if_match=if_match or "*", message=message
        ).value
    if as_json:
        print_json(allowed)
    else:
        print_allowed(stdout(), allowed)


@refusals.command()
def dismiss(
    group: GroupId,
    *,
    reason: Annotated[DismissalReason, typer.Option(help="Why the refusals are right.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What others should know.")] = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Record that these refusals are right. The policy stays as it is.

    A group that is `retired` or `other` is open again if it is refused after a later change of the policy.
    """
    _decide(
        group, "dismiss", {"reason": reason.value, "note": note}, server, token, server_in_clear_text, as_json
    )


@refusals.command()
def reopen(
    group: GroupId,
    *,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Forget what was decided about a group. The policy stays as it is."""
    _decide(group, "reopen", None, server, token, server_in_clear_text, as_json)


def _decide(
    group: str,
    action: str,
    body: dict[str, object] | None,
    server: str,
    token: str,
    in_clear_text: bool,
    as_json: bool,
) -> None:
    with AdminApiClient(server, token, in_clear_text=in_clear_text) as client:
        found = client.send("POST", f"{_path(group)}/{action}", body).value
    if as_json:
        print_json(found)
    else:
        print_state(stdout(), found)
        if action == "dismiss" and CUT in (found["method"], *found["headers"]):
            stdout().print(REST_UNKNOWN)


def _follow(client: AdminApiClient, query: dict[str, Any], *, as_json: bool) -> None:
    """Print the groups, then each group that changes, until it is interrupted."""
    for kind, data in client.events("/v1/refusals/events", **query):
        match kind:
            case "connected":
                # Listed after the connection, so that no change is missed in between.
                listed = client.pages("/v1/refusals", **query)["items"]
                _print_followed(reversed(listed), as_json=as_json)
            case "refusal":
                _print_followed([data], as_json=as_json)
            case "interrupted":
                stderr().print("Connection to the gateway lost; retrying until it is back")
            case "resumed":
                stderr().print("Connected to the gateway again")
            case "dropped" if not as_json:
                stdout().print(f"{data['dropped']} changes were left out, because they were too many")
            case "end" if str(data["code"]).startswith("token-"):
                raise InvalidInput(
                    [Diagnostic(data["code"], "the token is not valid any more", "Use another token")]
                )
            case _:
                pass
        sys.stdout.flush()


def _print_followed(groups: Any, *, as_json: bool) -> None:
    if as_json:
        for one in groups:
            sys.stdout.write(json.dumps(one) + "\n")
    elif groups := list(groups):
        print_refusals(stdout(), groups, [])


def _readiness(client: AdminApiClient, api: str) -> Any:
    """Whether an API in observe mode can be enforced; None for others."""
    name, separator, version = api.partition("/")
    if not separator:
        return None
    path = f"/v1/apis/{quote(name, safe='')}/{quote(version, safe='')}"
    policy = client.get(path).value.get("cors") or {}
    return client.get(f"{path}/readiness").value if policy.get("mode") == "observe" else None


def _path(group: str) -> str:
    return f"/v1/refusals/{quote(group, safe='')}"


def _no_such_change(found: dict[str, Any], number: int) -> Diagnostic:
    count = len(found["changes"])
    remedy = f"Choose one of 1 to {count}" if count else "Change the policy by hand, or dismiss the group"
    return Diagnostic("no-such-change", "no suggested change has this number", remedy, found=str(number))
