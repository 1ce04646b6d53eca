"""``apply --wait`` and ``rollback --wait``: what the nodes make of a revision decides about the exit code."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.command import CommandResult, crossgate
from tests.reported_nodes import MESSAGE, ReportedNodes, enforcing, lagging, rejecting

from crossgate.cli.admin_client import AdminApiClient, ApiResponse
from crossgate.cli.rollout_wait import NodesOnRevision, wait_for_nodes
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.ports import NodeReport
from crossgate.store import Store

DOCUMENT = "apis: [{name: pets, version: '1.0', type: rest, native: http://127.0.0.1:9101}]\n"


@pytest.fixture
def nodes() -> ReportedNodes:
    return ReportedNodes(enforcing("fra-1"), enforcing("fra-2"))


@pytest.fixture
def api(
    store: Store, nodes: ReportedNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AdminApi]:
    (tmp_path / "gateway.yaml").write_text(DOCUMENT)
    with running_admin_api(store.catalogue, store.tokens, nodes=nodes) as running:
        monkeypatch.setenv("CROSSGATE_SERVER", running.url)
        secret = running.admin.headers["Authorization"].removeprefix("Bearer ")
        monkeypatch.setenv("CROSSGATE_TOKEN", secret)
        yield running


def apply(folder: Path, *options: str) -> CommandResult:
    return crossgate("apply", "gateway.yaml", "--wait", *options, cwd=folder)


@pytest.mark.usefixtures("api")
def test_it_returns_when_every_node_runs_the_revision(tmp_path: Path) -> None:
    done = apply(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [
        "Revision 1: 1 added, 0 changed, 0 removed",
        "Revision 1 runs on 2 nodes",
    ]
    again = apply(tmp_path)
    assert again.returncode == 0
    assert again.stdout.splitlines() == [
        "No changes: revision 1 already matches",
        "Revision 1 runs on 2 nodes",
    ]


@pytest.mark.usefixtures("api")
def test_it_waits_for_a_node_that_has_not_answered(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set(enforcing("fra-1"), lagging("fra-2", revision=None))
    began = time.monotonic()
    answer = threading.Timer(0.6, nodes.set, (enforcing("fra-1"), enforcing("fra-2")))
    answer.start()
    done = apply(tmp_path)
    answer.join()
    assert done.returncode == 0
    assert time.monotonic() - began > 0.5


@pytest.mark.usefixtures("api")
def test_a_rejection_is_reported_with_the_reason_of_envoy(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set(enforcing("fra-1"), rejecting("fra-2", api="pets/1.0", message="no such filter"))
    done = apply(tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Revision 1: 1 added, 0 changed, 0 removed"
    assert done.stderr == (
        "error: node fra-2 rejects pets/1.0, used by pets/1.0, and keeps the version before"
        " (found no such filter). Correct it and apply again, or undo the change: crossgate rollback 0"
        " [node-rejected]\n"
    )


@pytest.mark.usefixtures("api")
def test_a_known_reason_has_its_own_remedy(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set(rejecting("fra-2", api="pets/1.0", message=MESSAGE))
    done = apply(tmp_path)
    assert done.returncode == 1
    assert "RE2 program size of 143" in done.stderr
    assert "`crossgate node`" in done.stderr


@pytest.mark.usefixtures("api")
def test_what_a_later_revision_brought_is_not_reported(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set(rejecting("fra-2", revision=2, api="other/1"))
    assert apply(tmp_path).returncode == 0


@pytest.mark.usefixtures("api")
def test_a_node_that_lags_is_reported(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set(enforcing("fra-1"), lagging("sin-1", revision=0), lagging("sin-2", revision=None))
    done = apply(tmp_path, "--timeout", "1")
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "error: node sin-1 has not applied revision 1 within 1 s (found revision 0). Check with"
    )
    assert "node sin-2 has not applied revision 1 within 1 s (found no revision yet)" in second


def wait(
    api: AdminApi, nodes: ReportedNodes, seconds: int, *answers: list[NodeReport] | None
) -> NodesOnRevision:
    """Wait for revision 1; each poll gets the next reports, and then the last ones again; None: no answer."""
    refused = InvalidInput([Diagnostic("server-unreachable", "it cannot be reached", "Start it")])

    def polls() -> Iterator[ApiResponse | InvalidInput]:
        for reports in chain(answers, repeat(answers[-1])):
            nodes.set(*(reports or ()))
            listed = api.admin.get("/v1/nodes").json()
            yield refused if reports is None else ApiResponse(listed, "", "")

    client = AdminApiClient(api.url, "cgt_x", in_clear_text=False)
    with (
        patch.object(client, "get", side_effect=polls()),
        patch("crossgate.cli.rollout_wait._FIRST_NODE_SECONDS", 0.1),
    ):
        return wait_for_nodes(client, 1, seconds, before=None)


def test_a_node_that_disconnects_before_it_answers_is_reported(api: AdminApi, nodes: ReportedNodes) -> None:
    done = wait(api, nodes, 1, [enforcing("fra-1"), lagging("fra-2")], [enforcing("fra-1")])
    assert [str(one).partition(". ")[0] for one in done.problems] == [
        "error: node fra-2 disconnected and has not applied revision 1 within 1 s (found not connected)"
    ]


def test_nodes_that_connect_again_are_waited_for(api: AdminApi, nodes: ReportedNodes) -> None:
    both = [enforcing("fra-1"), enforcing("fra-2")]
    nobody: list[NodeReport] = []
    for away in (nobody, None):
        done = wait(api, nodes, 60, [lagging("fra-1"), enforcing("fra-2")], away, away, both)
        assert (done.problems, str(done)) == ((), "Revision 1 runs on 2 nodes")
    assert str(wait(api, nodes, 60, None, None, both)) == "Revision 1 runs on 2 nodes"


def test_a_control_plane_that_stays_away_is_not_one_without_a_node(
    api: AdminApi, nodes: ReportedNodes
) -> None:
    with pytest.raises(InvalidInput) as raised:
        wait(api, nodes, 1, None)
    assert [one.code for one in raised.value.diagnostics] == ["server-unreachable"]


@pytest.mark.usefixtures("api")
def test_without_a_node_it_exits_with_1(tmp_path: Path, nodes: ReportedNodes) -> None:
    nodes.set()
    done = apply(tmp_path, "--timeout", "1", "--json")
    assert done.returncode == 1
    assert "[nodes-none]" in done.stderr
    body = json.loads(done.stdout)
    assert (body["revision"], body["changed"], body["rollout"]["complete"]) == (1, True, False)
    listed = crossgate("nodes", cwd=tmp_path)
    assert (listed.returncode, listed.stdout) == (1, "")
    assert "error: no node is connected to the control plane" in listed.stderr


@pytest.mark.usefixtures("api")
def test_a_rollback_waits_too(tmp_path: Path, nodes: ReportedNodes) -> None:
    assert apply(tmp_path).returncode == 0
    nodes.set(enforcing("fra-1", revision=2))
    done = crossgate("rollback", "0", "--wait", "--json", cwd=tmp_path)
    body = json.loads(done.stdout)
    assert (done.returncode, body["revision"], body["rollout"]["complete"]) == (0, 2, True)
    assert [one["node"] for one in body["rollout"]["nodes"]] == ["fra-1"]
    nodes.set(lagging("fra-1", revision=2))
    assert crossgate("rollback", "1", "--wait", "--timeout", "1", cwd=tmp_path).returncode == 1


def test_a_timeout_needs_wait(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(DOCUMENT)
    for verb in (["apply", "gateway.yaml"], ["rollback", "1"]):
        refused = crossgate(*verb, "--timeout", "5", cwd=tmp_path)
        assert (refused.returncode, "[option-conflict]" in refused.stderr) == (2, True)
