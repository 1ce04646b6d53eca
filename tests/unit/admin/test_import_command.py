"""``crossgate import --plan`` against a real admin API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.admin_api import AdminApi
from tests.command import CommandResult, crossgate
from tests.unit.admin.entries import NEW, PETS, api_entry, create_pets, pets_and_shop

DESCRIPTION = """\
openapi: 3.0.3
info: {{title: {title}, version: "1.0"}}
servers: [{{url: https://pets.example.com/v1}}]
paths: {{/pets: {{get: {{responses: {{"200": {{description: ok}}}}}}}}}}
"""


@pytest.fixture
def folder(api: AdminApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSGATE_SERVER", api.url)
    monkeypatch.setenv("CROSSGATE_TOKEN", api.admin.headers["Authorization"].removeprefix("Bearer "))
    (tmp_path / "pets.yaml").write_text(DESCRIPTION.format(title="pets"), encoding="utf-8")
    (tmp_path / "stock.yaml").write_text(DESCRIPTION.format(title="stock"), encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> CommandResult:
    return crossgate("import", *arguments, "--plan", cwd=folder)


def test_the_plan_is_that_of_the_verb_plan(api: AdminApi, folder: Path) -> None:
    create_pets(api.editor, "https://a.example")
    found = run(folder, "pets.yaml", "stock.yaml", "--origin", "https://app.example.com")
    assert found.returncode == 1, found.stderr
    assert "+ api stock/1.0\n" in found.stdout
    assert "pets" not in found.stdout
    assert "Compared with revision 1: 1 added, 0 changed, 0 removed" in found.stdout
    assert "API pets/1.0: exists, and stays" in found.stderr
    assert "API stock/1.0: added" in found.stderr
    assert "[maxage-unset]" in found.stdout
    assert "[maxage-unset]" not in found.stderr
    export = crossgate("export", cwd=folder).stdout
    assert "stock" not in export


def test_an_update_keeps_what_the_source_does_not_state(api: AdminApi, folder: Path) -> None:
    create_pets(api.editor, "https://a.example")
    found = run(folder, "pets.yaml", "--update", "--json")
    printed = json.loads(found.stdout)
    assert (found.returncode, found.stderr) == (1, "")
    (change,) = printed["plan"]["changes"]
    assert change["action"] == "change"
    assert change["after"]["native"] == "https://pets.example.com/v1"
    assert change["after"]["cors"]["allowed_origins"] == ["https://a.example"]
    assert printed["document"]["apis"] == [change["after"]]
    assert [one["key"] for one in printed["changed"]] == ["pets/1.0"]


def test_an_import_that_changes_nothing(folder: Path) -> None:
    (folder / "gateway.yaml").touch()
    crossgate("import", "pets.yaml", "-o", "gateway.yaml", cwd=folder)
    assert crossgate("apply", "gateway.yaml", cwd=folder).returncode == 0
    for update in ((), ("--update",)):
        found = run(folder, "pets.yaml", *update)
        assert (found.returncode, found.stdout) == (0, "No changes: revision 1 already matches\n")


def test_a_conflict_with_the_running_catalogue_is_refused(api: AdminApi, folder: Path) -> None:
    entry = api_entry(endpoints=["/gateway/stock/1.0/x"])
    assert api.editor.put(PETS, json=entry, headers=NEW).status_code == 201
    found = run(folder, "stock.yaml")
    assert (found.returncode, found.stdout) == (2, "")
    assert "stock.yaml:2:" in found.stderr
    assert "pets/1.0, which exists already" in found.stderr


def test_a_new_application_of_an_api_that_stays(api: AdminApi, folder: Path) -> None:
    assert api.editor.put("/v1/apis/pets/1", json=api_entry(), headers=NEW).status_code == 201
    (folder / "export.zip").write_bytes(pets_and_shop())
    found = run(folder, "export.zip")
    assert found.returncode == 1, found.stderr
    assert "+ application shop\n" in found.stdout
    assert "1 added, 0 changed, 0 removed" in found.stdout
