"""The reference's examples are true: documents are read, and commands print what the page says they print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.command import crossgate

from crossgate.catalogue.document import load_document

PAGES = Path(__file__).parents[3] / "docs" / "reference"
_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: str) -> list[tuple[str, str]]:
    return _BLOCK.findall((PAGES / page).read_text())


@pytest.mark.parametrize("page", ["file.md", "policy.md"])
def test_the_examples_of_a_page(page: str, tmp_path: Path) -> None:
    commands = 0
    for kind, text in _blocks(page):
        if kind == "yaml":
            name = text.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(text)
            valid = load_document(tmp_path / name).catalogue is not None
            assert valid == (name != "bad.yaml")
        else:
            for session in text.split("$ crossgate ")[1:]:
                command, _, expected = session.partition("\n")
                assert crossgate(*shlex.split(command), cwd=tmp_path).stdout == expected, command
                commands += 1
    assert commands
