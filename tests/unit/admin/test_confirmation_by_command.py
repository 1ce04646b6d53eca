"""``--yes`` and the question on a terminal, ``--selector``, and standard input, against a real admin API."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from tests.admin_api import AdminApi
from tests.command import COMMAND, ENVIRONMENT, CommandResult, crossgate

TEAMS = ("checkout", "search")


def document(team: str, count: int = 8) -> str:
    apis = "".join(
        f"  - {{name: {team}-{number}, version: '1', type: rest, native: http://127.0.0.1:9101,"
        f" labels: {{team: {team}}}}}\n"
        for number in range(count)
    )
    return f"apis:\n{apis}"


@pytest.fixture
def folder(api: AdminApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSGATE_SERVER", api.url)
    secret = api.admin.headers["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("CROSSGATE_TOKEN", secret)
    folder = tmp_path / "repository"
    for team in TEAMS:
        (folder / team).mkdir(parents=True)
        (folder / team / "apis.yaml").write_text(document(team))
    assert crossgate("apply", ".", cwd=folder).returncode == 0
    return folder


def keys(api: AdminApi) -> list[str]:
    return sorted(one["key"] for one in api.viewer.get("/v1/apis", params={"limit": 500}).json()["items"])


def _environment() -> dict[str, str]:
    """That of the test, with the server and the token."""
    return {**os.environ, "PYTHONPATH": ENVIRONMENT["PYTHONPATH"]}


def on_a_terminal(folder: Path, answer: bytes, *arguments: str) -> CommandResult:
    """The command with a terminal as standard input and standard error; its output is a pipe."""
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**_environment(), "NO_COLOR": "1"},
        stdin=its_end,
        stdout=subprocess.PIPE,
        stderr=its_end,
    ) as process:
        os.close(its_end)
        shown = b""
        with suppress(OSError):  # it ended without a question
            while b"[y/N]" not in shown:
                shown += os.read(terminal, 4096)
        os.write(terminal, answer)
        output = process.stdout.read() if process.stdout else b""
        code = process.wait(60)
        with suppress(OSError):  # nothing more was written to it
            shown += os.read(terminal, 4096)
    os.close(terminal)
    return CommandResult(code, output.decode(), shown.decode())


def test_without_a_terminal_a_large_removal_needs_yes(api: AdminApi, folder: Path) -> None:
    planned = crossgate("plan", "search", "--prune", cwd=folder)
    assert planned.returncode == 1
    assert "It removes 8 of the 16 APIs and applications in its scope" in planned.stdout
    assert "Would need --yes" in planned.stdout
    refused = crossgate("apply", "search", "--prune", cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: the change must be confirmed: it removes 8 of the 16")
    assert "repeat the command with --yes [many-removed]" in refused.stderr
    assert len(keys(api)) == 16
    done = crossgate("apply", "search", "--prune", "--yes", cwd=folder)
    assert (done.returncode, len(keys(api))) == (0, 8)
    assert "It removes 8 of the 16" in done.stdout
    assert "Would need --yes" not in done.stdout


def test_a_terminal_is_asked(api: AdminApi, folder: Path) -> None:
    no = on_a_terminal(folder, b"\n", "apply", "search", "--prune")
    assert (no.returncode, no.stdout) == (2, ""), no.stderr
    assert "- api checkout-7/1" in no.stderr
    assert "It removes 8 of the 16 APIs" in no.stderr
    assert "Nothing is changed" in no.stderr
    assert len(keys(api)) == 16
    yes = on_a_terminal(folder, b"y\n", "apply", "search", "--prune")
    assert (yes.returncode, len(keys(api))) == (0, 8)
    assert yes.stdout.splitlines()[-1] == "Revision 2: 0 added, 0 changed, 8 removed"
    restored = on_a_terminal(folder, b"y\n", "rollback", "0")
    assert (restored.returncode, keys(api)) == (0, [])


def test_a_rollback_needs_yes_too(api: AdminApi, folder: Path) -> None:
    refused = crossgate("rollback", "0", cwd=folder)
    assert (refused.returncode, "[many-removed]" in refused.stderr) == (2, True)
    assert len(keys(api)) == 16
    done = crossgate("rollback", "0", "--yes", "--json", cwd=folder)
    assert (done.returncode, json.loads(done.stdout)["removed"]) == (0, 16)


def test_a_moved_listener_needs_yes(folder: Path) -> None:
    (folder / "gateway.yaml").write_text("gateway: {listen: 127.0.0.1:8443}\n")
    refused = crossgate("apply", ".", cwd=folder)
    assert (refused.returncode, "[listener-changed]" in refused.stderr) == (2, True)
    assert crossgate("apply", ".", "-y", cwd=folder).returncode == 0


def test_a_selector_bounds_what_is_removed(api: AdminApi, folder: Path) -> None:
    (folder / "search/apis.yaml").write_text(document("search", 5))
    planned = crossgate("plan", "search", "--prune", "--selector", "team=search", cwd=folder)
    assert planned.stdout.splitlines()[-1].endswith("0 added, 0 changed, 3 removed")
    applied = crossgate("apply", "search", "--prune", "--selector", "team=search", cwd=folder)
    assert applied.returncode == 0, applied.stderr
    assert len(keys(api)) == 13
    outside = crossgate("apply", "checkout", "--selector", "team=search", cwd=folder)
    assert (outside.returncode, "[selector-mismatch]" in outside.stderr) == (2, True)
    for wrong in ("", "team=", "team=a b"):
        refused = crossgate("apply", "search", "--selector", wrong, cwd=folder)
        assert refused.returncode == 2, wrong
    assert len(keys(api)) == 13


def test_standard_input_is_applied(api: AdminApi, folder: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "apply", "search", "-"],
        input="applications: [{name: shop, apis: [search-0/1]}]\n",
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert api.viewer.get("/v1/applications/shop").json()["apis"] == ["search-0/1"]


def test_an_export_of_what_a_selector_selects_can_be_applied_with_it(folder: Path) -> None:
    exported = crossgate("export", "--selector", "team=search", cwd=folder)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert exported.stdout.count("- name: search-") == 8
    assert exported.stdout.startswith("apis:\n")
    (folder / "exported.yaml").write_text(exported.stdout)
    planned = crossgate("plan", "exported.yaml", "--prune", "--selector", "team=search", cwd=folder)
    assert (planned.returncode, planned.stdout) == (0, "No changes: revision 1 already matches\n")
    assert crossgate("export", "--selector", "team=nobody", cwd=folder).stdout == "apis: []\n"
    assert crossgate("export", "--selector", "", cwd=folder).returncode == 2
