"""``crossgate check``: exit codes, one line for each finding, JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import crossgate

BAD = """\
gateway:
  listen: "\\e[31m8080"
apis:
  - name: petstore
    version: 1.10
    type: rest
    native: http://127.0.0.1:9101
"""


def test_the_example_is_valid() -> None:
    done = crossgate("check", "examples/gateway.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "examples/gateway.yaml: valid, APIs: 7, applications: 1\n"


def test_every_error_is_one_line_that_editors_can_jump_to(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    done = crossgate("check", "bad.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    listen, version, summary = done.stdout.splitlines()
    assert listen.startswith("bad.yaml:2:11 $.gateway.listen: error: ")
    assert version == (
        "bad.yaml:5:14 $.apis[0].version: error: version must be a text (found 1.10)."
        ' Quote it: "1.10" [wrong-type]'
    )
    assert summary == "bad.yaml: refused (2 errors)"


def test_nothing_in_a_document_reaches_the_terminal_as_a_command_to_it(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    assert "\x1b" not in crossgate("check", "bad.yaml", cwd=tmp_path).stdout
    assert "\x1b" not in crossgate("check", "bad.yaml", "--json", cwd=tmp_path).stdout


def test_json_for_programs(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    done = crossgate("check", "bad.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert (report["file"], report["valid"]) == ("bad.yaml", False)
    assert [(found["code"], found["line"], found["column"]) for found in report["findings"]] == [
        ("listen-invalid", 2, 11),
        ("wrong-type", 5, 14),
    ]


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    done = crossgate("check", tmp_path)
    assert done.returncode == 2
    assert "this is a directory, not a file" in done.stdout
