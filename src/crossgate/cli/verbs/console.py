"""``crossgate console``: a link that signs in to the console of a running gateway."""

from __future__ import annotations

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import DEFAULT_SERVER, AsJson, DatabaseUrl, Server, ServerInClearText
from crossgate.cli.arguments import Token as TokenOption
from crossgate.cli.output.console import print_json
from crossgate.cli.stores import existing_store
from crossgate.cli.verbs.token import Data
from crossgate.diagnostics import InvalidInput
from crossgate.service.errors import ServiceError
from crossgate.service.sessions import Sessions, link_url
from crossgate.service.tokens import Tokens
from crossgate.store import open_store


def console(
    *,
    data: Data = None,
    database: DatabaseUrl = "",
    server: Server = DEFAULT_SERVER,
    token: TokenOption = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs in to the console, once and within 10 minutes.

    With --data or --database it signs in as an admin; that needs no token, and --server says only where the
    console is. Otherwise it signs in with the name, role and APIs of the token.
    """
    if data is not None or database:
        try:
            with open_store(existing_store(data, database)) as store:
                secret, until = Sessions(store.sessions, Tokens(store.tokens)).create_link()
        except ServiceError as refused:
            raise InvalidInput(refused.diagnostics) from refused
        expires = until.isoformat()
    else:
        with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
            created = api.send("POST", "/v1/sign-in-links").value
        secret, expires = created["secret"], created["expires"]
    url = link_url(server, secret)
    if as_json:
        print_json({"url": url, "expires": expires})
    else:
        typer.echo(url)
