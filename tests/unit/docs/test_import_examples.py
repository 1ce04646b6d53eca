"""The examples of the page about imports: its documents are imported, and commands print what is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.command import crossgate
from tests.executable_docs import Command, File, steps

from crossgate.importers.kinds import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "import.md"


def test_the_examples_of_the_page(tmp_path: Path) -> None:
    """A yaml block is a file, whose name is the comment in its first line."""
    commands = 0
    for step in steps(PAGE):
        match step:
            case File(content):
                name = content.partition("\n")[0].removeprefix("# ")
                (tmp_path / name).write_text(content, encoding="utf-8")
            case Command(line):
                result = crossgate(*shlex.split(line)[1:], cwd=tmp_path)
                assert step.matches(result.stdout), f"{line}\n{result.stdout}{result.stderr}"
                assert result.returncode in (0, 1), line
                commands += 1
    assert commands >= 5


def test_the_table_has_every_kind() -> None:
    rows = re.findall(r"^\| .* \| `crossgate import .*` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= len(KINDS)
