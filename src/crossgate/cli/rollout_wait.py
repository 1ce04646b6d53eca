"""Waits until every node runs a revision: ``apply --wait`` and ``rollback --wait``.

The nodes are those that are connected to the control plane that was called. One that disconnects before it
has answered is still waited for: the revision may have ended it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from crossgate.cli.admin_client import AdminApiClient
from crossgate.cli.output.console import printable, stderr
from crossgate.compiler.names import used_by
from crossgate.diagnostics import Diagnostic, InvalidInput

DEFAULT_SECONDS: Final = 60
_FIRST_NODE_SECONDS: Final = 10.0
"""How long a first node has to connect: one that was connected before needs a few seconds."""
_POLL_SECONDS: Final = 0.25

Wait = Annotated[
    bool,
    typer.Option("--wait", help="Return when every node runs the revision; exit code 1 if one does not."),
]
WaitSeconds = Annotated[
    int | None,
    typer.Option(
        "--timeout",
        min=1,
        max=3600,
        metavar="SECONDS",
        help="How long --wait waits for nodes that have not answered.",
        show_default=str(DEFAULT_SECONDS),
    ),
]


@dataclass(frozen=True, slots=True)
class NodesOnRevision:
    """What the nodes made of a revision; ``problems`` says why not all of them run it."""

    revision: int
    nodes: tuple[Mapping[str, Any], ...]
    problems: tuple[Diagnostic, ...]

    def as_json(self) -> dict[str, object]:
        """JSON-ready values; the nodes are as ``GET /v1/nodes`` has them."""
        return {
            "revision": self.revision,
            "complete": not self.problems,
            "nodes": list(self.nodes),
            "problems": [one.as_json() for one in self.problems],
        }

    def __str__(self) -> str:
        count = len(self.nodes)
        return f"Revision {self.revision} runs on {count} {'node' if count == 1 else 'nodes'}"


def check_wait_options(wait: bool, seconds: int | None) -> None:
    """Refuse a timeout of a verb that does not wait; raises InvalidInput."""
    if seconds is not None and not wait:
        refusal = Diagnostic("option-conflict", "--timeout has no effect without --wait", "Add --wait")
        raise InvalidInput([refusal])


def wait_for_nodes(
    api: AdminApiClient, revision: int, seconds: int | None, *, before: int | None
) -> NodesOnRevision:
    """Wait until every node has applied or rejected the revision, but not longer than ``seconds``.

    ``before`` is the revision that can be restored; None if this change made none. On a terminal, standard
    error shows for which nodes it waits. A control plane that restarts meanwhile is waited for.

    Raises:
        InvalidInput: the gateway refuses, or cannot be reached at the end.

    """
    limit = DEFAULT_SECONDS if seconds is None else seconds
    began = time.monotonic()
    console = stderr()
    missed: dict[str, Mapping[str, Any]] = {}
    first_seconds = min(limit, _FIRST_NODE_SECONDS)
    with console.status(f"Waiting for the nodes to run revision {revision}") as status:
        while True:
            passed = time.monotonic() - began
            reached = _nodes(api, last=passed >= limit)
            found = () if reached is None else reached
            late = {one["node"]: one for one in found if _is_late(one, revision)}
            answered = {one["node"] for one in found} - late.keys()
            missed = {name: one for name, one in (missed | late).items() if name not in answered}
            if reached is None or missed:
                # It was there: a control plane or a node that restarts has all the time.
                first_seconds = limit
            decided = bool(found) and not missed
            if decided or passed >= (limit if found else first_seconds):
                break
            status.update(_progress(found, missed, revision))
            time.sleep(min(_POLL_SECONDS, max(0.0, limit - passed)))
    gone = [name for name in missed if name not in late]
    problems = tuple(_find_problems(found, gone, revision, limit, before))
    return NodesOnRevision(revision, tuple(found), problems)


def no_node() -> Diagnostic:
    """The error for a control plane without a node."""
    return Diagnostic(
        "nodes-none",
        "no node is connected to the control plane",
        "Start one with `crossgate node`, then look at `crossgate nodes`",
    )


def _nodes(api: AdminApiClient, *, last: bool) -> Sequence[Mapping[str, Any]] | None:
    """The nodes; None if the control plane cannot be reached."""
    try:
        found: Sequence[Mapping[str, Any]] = api.get("/v1/nodes").value["items"]
    except InvalidInput as refused:
        if last or any(one.code != "server-unreachable" for one in refused.diagnostics):
            raise
        return None
    return found


def _is_late(node: Mapping[str, Any], revision: int) -> bool:
    return node["revision"] is None or node["revision"] < revision


def _progress(found: Sequence[Mapping[str, Any]], missed: Collection[str], revision: int) -> str:
    every = {one["node"] for one in found}.union(missed)
    if not every:
        return f"Waiting for a node to run revision {revision}"
    names = ", ".join(list(missed)[:5]) + (", …" if len(missed) > 5 else "")
    done = len(every) - len(missed)
    return printable(f"Revision {revision}: {done} of {len(every)} nodes, waiting for {names}")


def _find_problems(
    nodes: Sequence[Mapping[str, Any]],
    gone: Sequence[str],
    revision: int,
    seconds: int,
    before: int | None,
) -> Iterator[Diagnostic]:
    if not nodes and not gone:
        yield no_node()
    for node in nodes:
        name = node["node"]
        for one in node["rejections"]:
            # A newer revision is somebody else's change.
            if one["revision"] is None or one["revision"] <= revision:
                yield _rejected(name, one, revision, before)
        if _is_late(node, revision):
            runs = "no revision yet" if node["revision"] is None else f"revision {node['revision']}"
            yield Diagnostic(
                "node-behind",
                f"node {name} has not applied revision {revision} within {seconds} s",
                "Check with `crossgate nodes` whether it goes on; wait longer with --timeout",
                found=runs,
            )

    for name in gone:
        yield Diagnostic(
            "node-behind",
            f"node {name} disconnected and has not applied revision {revision} within {seconds} s",
            "Look at the node's log; if it was stopped on purpose, all is well",
            found="not connected",
        )


def _rejected(node: str, rejection: Mapping[str, Any], revision: int, before: int | None) -> Diagnostic:
    resource = f"{rejection['resource']}{used_by(rejection['apis'])}"
    since = "" if rejection["revision"] in (None, revision) else f" since revision {rejection['revision']}"
    undo = "" if before is None else f", or undo the change: crossgate rollback {before}"
    return Diagnostic(
        "node-rejected",
        f"node {node} rejects {resource}{since}, and keeps the version before",
        rejection["remedy"] or f"Correct it and apply again{undo}",
        found=rejection["message"],
    )
