"""``crossgate token``: who may use the admin API."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, DatabaseUrl, Server, Token
from crossgate.diagnostics import Diagnostic, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crossgate.cli.admin_client import Remote
    from crossgate.service.tokens import Role, Tokens
    from crossgate.service.tokens import Token as KeptToken

token = typer.Typer(
    no_args_is_help=True,
    help="Create, list and revoke the tokens of the admin API.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called; its changes bear it.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Go to the store in this directory itself, without the admin API and a token.",
        show_default=False,
    ),
]


class RoleName(StrEnum):
    """What a token may do."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


@token.command()
def create(
    name: Name,
    *,
    role: Annotated[
        RoleName, typer.Option(help="viewer: read; editor: change as well; admin: tokens as well.")
    ] = RoleName.VIEWER,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Until it expires.", show_default="never")
    ] = None,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Create a token and print its secret, this once.

    Whoever may write the store itself needs no token: --data or --database go there, gateway or not.
    """
    from crossgate.cli.output.console import print_json

    if _is_local(data, database):
        with _tokens(data, database) as tokens:
            lifetime = None if days is None else timedelta(days=days)
            secret, made = tokens.create(_checked(name), _role(role), lifetime)
            created: dict[str, Any] = {**_fields(made), "secret": secret}
    else:
        with _remote(server, token) as remote:
            wanted = {"name": name, "role": role.value, "days": days}
            created = remote.send("POST", "/v1/tokens", wanted).value
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
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """List every token, those that no longer work too; never a secret."""
    from crossgate.cli.output.console import print_json, stdout
    from crossgate.cli.output.tables import print_rows

    if _is_local(data, database):
        with _tokens(data, database) as tokens:
            found = [_fields(one) for one in tokens.all()]
    else:
        with _remote(server, token) as remote:
            found = remote.get("/v1/tokens").value["items"]
    if as_json:
        print_json({"items": found})
        return
    times = ("created", "expires", "last_used", "revoked")
    print_rows(
        stdout(),
        ("token", "role", "created", "expires", "last used", "revoked"),
        [(one["name"], one["role"], *((one[time] or "-")[:19] for time in times)) for one in found],
    )


@token.command()
def revoke(
    name: Name,
    *,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
) -> None:
    """Let a token open nothing any more, at once and on every control plane."""
    from urllib.parse import quote

    if _is_local(data, database):
        with _tokens(data, database) as tokens:
            tokens.revoke(name)
    else:
        with _remote(server, token) as remote:
            remote.send("DELETE", f"/v1/tokens/{quote(name, safe='')}")
    typer.echo(f"The token {name} opens nothing any more")


def _is_local(data: Path | None, database: str) -> bool:
    return data is not None or bool(database)


@contextmanager
def _tokens(data: Path | None, database: str) -> Iterator[Tokens]:
    from crossgate.cli.stores import store_location
    from crossgate.service.errors import ServiceError
    from crossgate.service.tokens import Tokens
    from crossgate.store import open_store

    try:
        with open_store(store_location(data, database)) as store:
            yield Tokens(store.tokens)
    except ServiceError as refused:
        raise InvalidInput(refused.diagnostics) from refused


def _remote(server: str, token: str) -> Remote:
    from crossgate.cli.admin_client import Remote

    return Remote(server, token)


def _checked(name: str) -> str:
    from crossgate.catalogue.names import parse_name

    parsed = parse_name(name)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return parsed


def _role(role: RoleName) -> Role:
    from crossgate.service.tokens import Role

    return Role(role.value)


def _fields(token: KeptToken) -> dict[str, Any]:
    times: dict[str, datetime | None] = {
        "created": token.created,
        "expires": token.expires,
        "last_used": token.last_used,
        "revoked": token.revoked,
    }
    return {
        "name": token.name,
        "role": token.role.value,
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
    }
