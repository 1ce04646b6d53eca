"""Examples of how-to pages that need no gateway: documents are valid, and commands print what is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from tests.command import crossgate
from tests.executable_docs import Command, File, steps

from crossgate.catalogue.document import load_document

PAGES = Path(__file__).parents[3] / "docs" / "how-to"
_ROW = re.compile(r"^\| `(regex: )?'?([^`']+)'?` \| .* \| (?:`([a-z-]+)`|none) \|$", re.MULTILINE)
DOCUMENT = """\
apis:
  - name: petstore
    version: "1"
    type: rest
    native: http://127.0.0.1:9101
    cors:
      allowed_origins: [{entry}]
      allowed_methods: [GET]
      allow_credentials: {credentials}
      max_age: 600
"""


def _entries() -> list[tuple[str, str]]:
    rows = _ROW.findall((PAGES / "apps-and-extensions.md").read_text(encoding="utf-8"))
    return [(f"{{{key}'{origin}'}}" if key else f"'{origin}'", code) for key, origin, code in rows]


@pytest.mark.parametrize(
    ("page", "commands"),
    [
        ("apps-and-extensions.md", 3),
        ("websockets.md", 3),
        ("limits.md", 0),
        ("run-behind-a-load-balancer.md", 0),
    ],
)
def test_the_examples_of_a_page(page: str, commands: int, tmp_path: Path) -> None:
    ran = 0
    for step in steps(PAGES / page):
        match step:
            case File(content):
                file = tmp_path / content.partition("\n")[0].removeprefix("# ")
                file.write_text(content, encoding="utf-8")
                assert load_document(file).catalogue is not None
            case Command(line):
                output = crossgate(*shlex.split(line)[1:], cwd=tmp_path).stdout
                assert step.matches(output), f"{line}\n{output}"
                ran += 1
    assert ran == commands


def test_the_table_of_entries_is_found() -> None:
    assert len(_entries()) == 14


@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.parametrize(("entry", "code"), _entries())
def test_an_entry_of_an_app_has_the_finding(entry: str, code: str, credentials: bool, tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT.format(entry=entry, credentials=str(credentials).lower()), encoding="utf-8")
    checked = crossgate("check", file)
    severity = "error" if credentials and code != "per-installation-origin" else "warning"
    findings = re.findall(r": (error|warning|info): .* \[([a-z-]+)\]$", checked.stdout, re.MULTILINE)
    assert findings == ([(severity, code)] if code else [])


def test_pipelines_contain_the_commands_that_their_page_executes() -> None:
    """The page itself is executed with a gateway; pipelines need a forge."""
    page = PAGES / "deploy-from-git.md"
    executed = {_without_message(step.line) for step in steps(page) if isinstance(step, Command)}
    text = page.read_text(encoding="utf-8")
    pipelines = re.findall(r"^```yml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(pipelines) == 2
    for pipeline in pipelines:
        assert yaml.safe_load(pipeline)
        commands = {_without_message(line) for line in re.findall(r"(crossgate \w+ .*)", pipeline)}
        assert len(commands) == 3
        assert commands <= executed


def _without_message(line: str) -> str:
    """The command without its message, and without what confirms it."""
    return line.partition(" --message")[0]
