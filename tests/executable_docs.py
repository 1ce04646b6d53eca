"""The files and commands of a documentation page, in their order.

A ``yaml`` block is a file to write. In a ``console`` block a line that begins with ``$`` is a command,
followed by lines of its output. Other blocks are not executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """New content of the file that the page works on."""

    content: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command and lines of its output, in that order; there may be other lines between them."""

    line: str
    output: tuple[str, ...]

    def matches(self, output: str) -> bool:
        """Whether the output has the lines, compared without case."""
        printed = iter(line.strip().lower() for line in output.splitlines())
        return all(expected.lower() in printed for expected in self.output)


def steps(page: Path) -> Iterator[File | Command]:
    """Every step of the page, from top to bottom."""
    for kind, content in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "yaml":
            yield File(content)
        else:
            yield from _commands(content)


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *output = part.strip().splitlines()
        yield Command(line, tuple(expected.strip() for expected in output if expected.strip()))
