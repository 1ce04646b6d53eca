"""``crossgate apply FILE...``: change a running gateway to match documents."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.arguments import (
    DEFAULT_SERVER,
    AsJson,
    DocumentFiles,
    Message,
    Prune,
    Selector,
    Server,
    ServerInClearText,
    Token,
    check_selector,
)
from crossgate.cli.confirm import Yes, confirm
from crossgate.cli.documents import load_for_admin_api
from crossgate.cli.finish import finish_change
from crossgate.cli.output.changes import print_plan
from crossgate.cli.output.console import stdout
from crossgate.cli.rollout_wait import Wait, WaitSeconds, check_wait_options


def apply(
    files: DocumentFiles,
    *,
    prune: Prune = False,
    selector: Selector = None,
    yes: Yes = False,
    message: Message = "",
    base: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="REVISION",
            help="Refuse if the newest revision is not this one, the one that was planned against.",
            show_default="the newest",
        ),
    ] = None,
    wait: Wait = False,
    timeout: WaitSeconds = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    server_in_clear_text: ServerInClearText = False,
    as_json: AsJson = False,
) -> None:
    """Apply documents as one revision: all of it, or nothing if any part is refused.

    Objects that the documents do not contain stay, unless --prune is given.
    """
    check_wait_options(wait, timeout)
    query = {"prune": str(prune).lower(), "selector": check_selector(selector)}
    document = load_for_admin_api(files)
    with AdminApiClient(server, token, in_clear_text=server_in_clear_text) as api:
        planned = api.send("POST", "/v1/plan", document, **query)
        # What is printed is what is applied: a revision that comes between the two requests is a refusal.
        etag = planned.etag if base is None else f'"revision-{base}"'
        refused = any(finding["refuses"] for finding in planned.value["findings"])
        # A refusal comes before the question.
        confirmed = not refused and confirm(planned.value, yes=yes)
        query |= {"confirm": str(confirmed).lower(), "message": message}
        applied = api.send("POST", "/v1/apply", document, if_match=etag, **query).value
        if not as_json and planned.value["changes"]:
            print_plan(stdout(), planned.value, confirmed=True)
        finish_change(api, applied, planned.value["base"], wait=wait, timeout=timeout, as_json=as_json)
