"""``crossgate check`` of several files: each finding names its own file, in every format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.command import COMMAND, ENVIRONMENT, crossgate

API = """\
apis:
  - name: NAME
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101
    cors: {allowed_origins: [ORIGIN], allowed_methods: [GET], max_age: 600}
"""
UNSAFE = API.replace("ORIGIN", "{regex: 'https://.*example\\.com'}")
PLACES = [("team a/apis.yaml", 6, 30), ("team b/apis.yaml", 6, 30)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for team in ("a", "b"):
        (tmp_path / f"team {team}").mkdir()
        (tmp_path / f"team {team}" / "apis.yaml").write_text(UNSAFE.replace("NAME", f"of-{team}"))
    (tmp_path / "gateway.yaml").write_text("gateway: {listen: 127.0.0.1:8080}\n")
    return tmp_path


def test_text_names_the_file_of_each_finding(folder: Path) -> None:
    done = crossgate("check", "team a", "team b", "gateway.yaml", cwd=folder)
    assert done.returncode == 1
    first, second, summary = done.stdout.splitlines()
    assert first.startswith("team a/apis.yaml:6:30 $.apis[0].cors.allowed_origins[0]: error: ")
    assert second.startswith("team b/apis.yaml:6:30 $.apis[0].cors.allowed_origins[0]: error: ")
    assert summary == "3 files: valid, APIs: 2, applications: 0 (2 errors)"
    assert crossgate("check", ".", cwd=folder).stdout.splitlines()[-1].startswith(".: valid, APIs: 2, ")


def test_json_lists_the_files(folder: Path) -> None:
    found = json.loads(crossgate("check", ".", "--json", cwd=folder).stdout)
    assert [(one["file"], one["line"], one["column"]) for one in found["findings"]] == PLACES
    assert (found["file"], found["files"]) == (".", ["gateway.yaml", *(file for file, *_ in PLACES)])


def test_sarif_has_a_uri_for_each_file(folder: Path) -> None:
    (run,) = json.loads(crossgate("check", ".", "--format", "sarif", cwd=folder).stdout)["runs"]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [one["artifactLocation"]["uri"] for one in places] == ["team%20a/apis.yaml", "team%20b/apis.yaml"]
    assert places[0]["region"] == {"startLine": 6, "startColumn": 30}


def test_standard_input(folder: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "check", "gateway.yaml", "-"],
        input=UNSAFE,
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    first, summary = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert first.startswith("<stdin>:6:30 $.apis[0].cors.allowed_origins[0]: error: ")
    assert summary == "2 files: valid, APIs: 1, applications: 0 (1 error)"
