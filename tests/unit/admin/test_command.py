"""CLI verbs against a real admin API."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.admin_api import AdminApi
from tests.command import CommandResult, crossgate
from tests.unit.admin.entries import create_pets, create_shop

DOCUMENT = """
apis:
  - {name: pets, version: "1.0", type: rest, native: http://127.0.0.1:9101}
  - {name: stock, version: "2", type: soap, native: http://127.0.0.1:9102}
"""


class Command:
    """Runs the CLI in one folder with an admin token."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gateway.yaml"
        self.file.write_text(DOCUMENT)

    def __call__(self, *arguments: str | Path) -> CommandResult:
        return crossgate(*arguments, cwd=self.file.parent)


@pytest.fixture
def run(api: AdminApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("CROSSGATE_SERVER", api.url)
    monkeypatch.setenv("CROSSGATE_TOKEN", api.admin.headers["Authorization"].removeprefix("Bearer "))
    return Command(tmp_path)


def test_a_refused_token_names_the_server(
    api: AdminApi, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token may be right, and belong to another gateway than the one at the default address."""
    monkeypatch.setenv("CROSSGATE_TOKEN", "cgt_of-another-gateway")
    refused = run("revisions")
    assert refused.returncode == 2
    assert f"admin API at {api.url}: invalid token" in refused.stderr
    assert "--server or CROSSGATE_SERVER" in refused.stderr


def test_plan_exits_with_1_if_there_are_changes(api: AdminApi, run: Command) -> None:
    create_pets(api.editor, "https://a.example")

    planned = run("plan", run.file)
    assert planned.returncode == 1
    assert "~ api pets/1.0" in planned.stdout
    assert "+ api stock/2" in planned.stdout
    assert "enforced policy -> pass-through: the native service decides" in planned.stdout
    as_json = run("plan", run.file, "--json")
    assert (as_json.returncode, json.loads(as_json.stdout)["base"]) == (1, 1)

    applied = run("apply", run.file, "-m", "all of it")
    assert (applied.returncode, applied.stdout.splitlines()[-1]) == (
        0,
        "Revision 2: 1 added, 1 changed, 0 removed",
    )
    unchanged = run("plan", run.file)
    assert (unchanged.returncode, unchanged.stdout) == (
        0,
        "No changes: revision 2 already matches\n",
    )


def test_applying_an_export_changes_nothing(api: AdminApi, run: Command) -> None:
    create_pets(api.editor, "https://a.example")
    create_shop(api.editor, "https://shop.example", apis=("pets/1.0",))
    exported = run("export")
    run.file.write_text(exported.stdout)

    planned = run("plan", run.file, "--prune")
    applied = run("apply", run.file, "--prune", "--json")

    assert (planned.returncode, applied.returncode) == (0, 0)
    assert json.loads(applied.stdout)["changed"] is False
    assert run("export").stdout == exported.stdout
    assert run("export", "--revision", "0").stdout == "gateway:\n  listen: 127.0.0.1:8080\n"


def test_apply_requires_the_given_base(api: AdminApi, run: Command) -> None:
    create_pets(api.editor)
    create_shop(api.editor)

    refused = run("apply", run.file, "--base", "1")

    assert (refused.returncode, "base-moved" in refused.stderr) == (2, True)
    assert run("apply", run.file, "--base", "2").returncode == 0


def test_document_with_errors_is_not_sent(api: AdminApi, run: Command) -> None:
    run.file.write_text(DOCUMENT.replace("soap", "coffee"))

    for verb in ("plan", "apply"):
        refused = run(verb, run.file)
        assert refused.returncode == 2
        assert f"{run.file}:4:" in refused.stderr
    assert api.viewer.get("/v1/revisions").json()["items"] == []


def test_revisions_and_rollback(api: AdminApi, run: Command) -> None:
    create_pets(api.editor)
    create_shop(api.editor)

    listed = run("revisions").stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["2", "1"]
    shown = run("revisions", "2")
    assert "+ application shop" in shown.stdout
    back = run("rollback", "1", "--message", "too early")
    assert back.stdout == "Revision 3: 0 added, 0 changed, 1 removed\n"
    assert run("revisions", "3").stdout.splitlines()[0].endswith("rollback to 1: too early")
    assert run("rollback", "9").returncode == 2


def test_revisions_of_one_object_and_of_one_author(api: AdminApi, run: Command) -> None:
    create_pets(api.editor)
    create_shop(api.admin)

    def numbers(*options: str) -> list[str]:
        return [line.split("\t")[0] for line in run("revisions", *options).stdout.splitlines()]

    assert numbers("--api", "pets/1.0") == ["1"]
    assert numbers("--api", "pets") == ["1"]
    assert numbers("--application", "shop") == ["2"]
    assert numbers("--author", "test-admin") == ["2"]
    assert numbers("--author", "test-admin", "--api", "pets/1.0") == []
    refused = run("revisions", "1", "--author", "x")
    assert (refused.returncode, "[option-conflict]" in refused.stderr) == (2, True)


def test_tokens(api: AdminApi, run: Command) -> None:
    created = run("token", "create", "ci", "--role", "editor", "--days", "30")
    secret = created.stdout.strip()
    with api.client(secret) as client:
        assert client.get("/v1/apis").status_code == 200
        listed = run("token", "list")
        assert secret not in listed.stdout
        assert "ci\teditor\t" in listed.stdout
        assert run("token", "revoke", "ci").returncode == 0
        assert client.get("/v1/apis").status_code == 401
    assert run("token", "revoke", "ci").returncode == 2


def test_nodes(run: Command) -> None:
    listed = run("nodes", "--json")

    assert (listed.returncode, "[nodes-none]" in listed.stderr) == (1, True)
    body = json.loads(listed.stdout)
    assert (body["head"], body["items"]) == (0, [])


def test_missing_token_and_unreachable_server_are_reported(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = run("nodes", "--token", "cgt_wrong")
    assert (wrong.returncode, "token-refused" in wrong.stderr) == (2, True)
    monkeypatch.delenv("CROSSGATE_TOKEN")
    without = run("nodes")
    assert (without.returncode, "CROSSGATE_TOKEN" in without.stderr) == (2, True)
    nobody = run("nodes", "--token", "cgt_x", "--server", "http://127.0.0.1:9")
    assert (nobody.returncode, "server-unreachable" in nobody.stderr) == (2, True)
    assert "Start `crossgate run` or `crossgate serve`" in nobody.stderr


@pytest.mark.parametrize(
    "server", ["http://192.0.2.1:9", "http://gateway.example", "http://0.0.0.0:9", "http://localhost.example"]
)
def test_token_is_not_sent_to_another_machine_in_clear_text(
    run: Command, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*_: object, **__: object) -> None:
        pytest.fail("a request was sent")

    monkeypatch.setattr(httpx.Client, "request", send)
    for verb in (["nodes"], ["plan", run.file], ["token", "list"], ["token", "create", "x"], ["export"]):
        refused = run(*verb, "--server", server)
        assert (refused.returncode, "server-clear-text" in refused.stderr) == (2, True), verb


@pytest.mark.parametrize(
    "server", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://localhost:9"]
)
def test_token_is_sent_to_this_machine_and_over_https(run: Command, server: str) -> None:
    assert "server-unreachable" in run("nodes", "--server", server).stderr


def test_token_is_sent_in_clear_text_if_told(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    # An address of this machine that counts as another one.
    assert (
        "server-unreachable" in run("nodes", "--server", "http://0.0.0.0:9", "--server-in-clear-text").stderr
    )
    monkeypatch.setenv("CROSSGATE_SERVER_IN_CLEAR_TEXT", "1")
    assert "server-unreachable" in run("nodes", "--server", "http://0.0.0.0:9").stderr


def test_tokens_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSGATE_DATABASE", raising=False)
    data = ("--data", tmp_path / "data")

    assert crossgate("token", "create", "rescue", "--role", "admin", *data).stdout.startswith("cgt_")
    assert crossgate("token", "create", "rescue", *data).returncode == 2
    assert "rescue\tadmin\t" in crossgate("token", "list", *data).stdout
    assert crossgate("token", "revoke", "rescue", *data).returncode == 0
    assert crossgate("token", "revoke", "rescue", *data).returncode == 2


def test_contradicting_options_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("apis: []\n")

    for arguments in (
        ("run", file, "--data", tmp_path),
        ("run", file, "--listen", "127.0.0.1:1"),
        ("run", "--data", tmp_path, "--database", "postgresql://x/y"),
        ("run", "--admin", "0.0.0.0:8090"),
        ("run", "--admin", "nowhere"),
    ):
        refused = crossgate(*arguments)
        [line] = refused.stderr.splitlines()
        assert (refused.returncode, json.loads(line)["level"]) == (2, "error"), arguments


def test_plan_shows_lint_errors_for_which_apply_is_refused(api: AdminApi, run: Command) -> None:
    cors = "{cors: {allowed_origins: [{regex: 'https://.*example\\.com'}]}, name: pets"
    run.file.write_text(DOCUMENT.replace("{name: pets", cors))

    planned, applied = run("plan", run.file), run("apply", run.file)

    assert (planned.returncode, applied.returncode) == (2, 2)
    assert "+ api pets/1.0" in planned.stdout
    for output in (planned.stdout, applied.stderr):
        assert "$.apis['pets/1.0'].cors.allowed_origins[0]: error: the entry admits https://" in output
        assert "[origin-unbounded]" in output
    assert "Would be refused: 1 lint error" in planned.stdout
    assert api.viewer.get("/v1/revisions").json()["items"] == []


def test_warnings_are_shown_and_refuse_nothing(run: Command) -> None:
    run.file.write_text(DOCUMENT.replace("{name: pets", "{cors: {}, name: pets"))

    planned, applied = run("plan", run.file), run("apply", run.file)
    as_json = run("rollback", "0", "--json")

    assert (planned.returncode, applied.returncode) == (1, 0)
    assert "[empty-policy]" in planned.stdout
    assert "[empty-policy]" in applied.stdout
    assert json.loads(as_json.stdout)["findings"] == []
