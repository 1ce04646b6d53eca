"""The values of a YAML document, and where in its text each of them stands.

Values are what the core schema of YAML 1.2 says (§10.3): ``yes`` and ``2001-01-01`` are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from crossgate.diagnostics import Place, Step

# YAML 1.1, §4.1.4, as the parser counts them.
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_PLAIN: Final = re.compile(r"[^\s,\[\]{}]*")


class SourcePosition(Protocol):
    """Where something starts; lines and columns count from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The values of one YAML document, and where each of them stands in ``text``."""

    text: str
    root: object
    _marks: Mapping[int, Mapping[str, tuple[SourcePosition, SourcePosition]] | Sequence[SourcePosition]] = (
        field(repr=False)
    )
    """By the identity of a mapping or list: the marks of its keys and values, or of its entries."""
    _lines: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    """The text's lines, once somebody asks for one."""

    def locate(self, place: Place, file: str | None, *, key: bool = False) -> Place:
        """The place with file, line and column: of the value there, or with ``key`` of its key.

        Of what is not there, the position is that of the nearest thing around it.
        """
        node = self.root
        line, column = 0, 0
        for depth, step in enumerate(place.path):
            marks = self._marks.get(id(node))
            mark: SourcePosition
            if isinstance(node, dict) and isinstance(marks, dict) and step in marks:
                key_mark, value_mark = marks[str(step)]
                wants_key = key and depth == len(place.path) - 1
                mark = key_mark if wants_key or node[step] is None else value_mark
                node = node[step]
            elif isinstance(node, list) and isinstance(marks, list) and isinstance(step, int):
                mark = marks[step]
                node = node[step]
            else:
                break
            line, column = mark.line, mark.column
        return Place(place.path, file, line + 1, column + 1)

    def spelling(self, path: Iterable[Step]) -> str:
        """The plain scalar at ``path`` as it is spelled in the text."""
        place = self.locate(Place(tuple(path)), None)
        if not self._lines:
            self._lines.extend(_LINE_BREAK.split(self.text))
        found = _PLAIN.match(self._lines[(place.line or 1) - 1], (place.column or 1) - 1)
        return found[0] if found else ""
