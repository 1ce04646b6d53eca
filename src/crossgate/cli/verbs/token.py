"""``crossgate token``: the tokens of the admin API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from crossgate.catalogue.names import parse_name
from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.app import VERBS
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, DatabaseUrl, Server, ServerInClearText
from crossgate.cli.arguments import Token as TokenOption
from crossgate.cli.output.console import print_json, print_rows, stdout
from crossgate.cli.stores import store_location
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.errors import ServiceError
from crossgate.service.permission import Role
from crossgate.service.tokens import Token, Tokens
from crossgate.store import open_store

token = typer.Typer(no_args_is_help=True, help=VERBS["token"], rich_markup_mode="markdown")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the token; revisions show it as author.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Open the store in this directory, instead of calling the admin API.",
        show_default=False,
    ),
]


@token.command()
def create(
    name: Name,
    *,
    role: Annotated[
        Role,
        typer.Option(
            help="viewer: read; editor: also change APIs, policies and applications; admin: everything."
        ),
    ] = Role.VIEWER,
    apis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Limit the token to APIs with this name, or with names that begin so: 'team-a-*'. "
            "Repeat it for more.",
            show_default="all APIs",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, metavar="N", help="Days until it expires.", show_default="never"),
    ] = None,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: TokenOption = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Create a token and print its secret, which is shown only once.

    With --data or --database it is written to the store directly. That needs no token and no running gateway.
    """
    if _is_local(data, database):
        parsed = parse_name(name)
        if isinstance(parsed, Diagnostic):
            raise InvalidInput([parsed])
        with _open_tokens(data, database) as tokens:
            lifetime = None if days is None else timedelta(days=days)
            secret, stored = tokens.create(parsed, role, lifetime, apis or ())
            created: dict[str, Any] = {**_fields(stored), "secret": secret}
    else:
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
            body = {"name": name, "role": role.value, "days": days, "apis": apis or []}
            created = api.send("POST", "/v1/tokens", body).value
    if as_json:
        print_json(created)
    else:
        typer.echo(created["secret"])


@token.command(name="list")
def list_tokens(
    *,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: TokenOption = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """List every token, expired and revoked ones included, without the secrets."""
    if _is_local(data, database):
        with _open_tokens(data, database) as tokens:
            found = [_fields(one) for one in tokens.all()]
    else:
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
            found = api.get("/v1/tokens").value["items"]
    if as_json:
        print_json({"items": found})
        return
    times = ("created", "expires", "last_used", "revoked")
    print_rows(
        stdout(),
        ("token", "role", "APIs", "created", "expires", "last used", "revoked"),
        [
            (
                one["name"],
                one["role"],
                ", ".join(one["apis"]) or "all",
                *((one[time] or "-")[:19] for time in times),
            )
            for one in found
        ],
    )


@token.command()
def revoke(
    name: Name,
    *,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: TokenOption = "",
    server_in_clear_text: ServerInClearText = False,
) -> None:
    """Revoke a token, at once and for every control plane."""
    if _is_local(data, database):
        with _open_tokens(data, database) as tokens:
            tokens.revoke(name)
    else:
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
            api.send("DELETE", f"/v1/tokens/{quote(name, safe='')}")
    typer.echo(f"Token {name} revoked")


def _is_local(data: Path | None, database: str) -> bool:
    return data is not None or bool(database)


@contextmanager
def _open_tokens(data: Path | None, database: str) -> Iterator[Tokens]:
    try:
        with open_store(store_location(data, database)) as store:
            yield Tokens(store.tokens)
    except ServiceError as refused:
        raise InvalidInput(refused.diagnostics) from refused


def _fields(stored: Token) -> dict[str, Any]:
    times: dict[str, datetime | None] = {
        "created": stored.created,
        "expires": stored.expires,
        "last_used": stored.last_used,
        "revoked": stored.revoked,
    }
    return {
        "name": stored.name,
        "role": stored.role.value,
        "apis": list(stored.apis),
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
    }
