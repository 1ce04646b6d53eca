"""The end of a verb that changes a gateway: prints the result, and waits for the nodes if that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.output.changes import print_applied
from crossgate.cli.output.console import print_json, stderr, stdout
from crossgate.cli.output.findings import print_findings
from crossgate.cli.rollout_wait import NodesOnRevision, wait_for_nodes


def finish_change(
    api: AdminApiClient,
    applied: Mapping[str, Any],
    base: int,
    *,
    wait: bool,
    timeout: int | None,
    as_json: bool,
) -> None:
    """Print the result of a change that was planned on revision ``base``; raises Exit if a node lacks it.

    The result comes first: the change is made, whatever the nodes do with it.
    """
    if not as_json:
        print_applied(stdout(), applied)
    outcome: NodesOnRevision | None = None
    if wait:
        before = base if applied["changed"] else None
        outcome = wait_for_nodes(api, applied["revision"], timeout, before=before)
    if as_json:
        print_json(applied if outcome is None else {**applied, "rollout": outcome.as_json()})
    if outcome is None:
        return
    if outcome.problems:
        print_findings(stderr(), outcome.problems)
        raise typer.Exit(1)
    if not as_json:
        stdout().print(str(outcome))
