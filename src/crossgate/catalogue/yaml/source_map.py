"""The values of a YAML document with the line and column of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NewType, Protocol

from crossgate.diagnostics import Place, Step

# As libyaml counts lines (YAML 1.1, §4.1.4).
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_PLAIN: Final = re.compile(r"[^\s,\[\]{}]*")


class SourcePosition(Protocol):
    """The start of a key or value; lines and columns count from 0."""

    line: int
    column: int


class EntryPositions(NamedTuple):
    """The positions of one entry of a mapping."""

    key: SourcePosition
    value: SourcePosition


NodePositions = dict[str, EntryPositions] | list[SourcePosition]
"""The positions of the entries of a mapping or list."""
NodeId = NewType("NodeId", int)
"""The identity of a mapping or list, as ``id`` gives it while the document is in memory."""


def node_id(node: object) -> NodeId:
    """The identity of a mapping or list."""
    return NodeId(id(node))


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The values of one YAML document and their positions in ``text``."""

    text: str
    root: object
    _positions: Mapping[NodeId, NodePositions] = field(repr=False)
    _lines: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    """The lines of ``text``, once one of them is needed."""

    def locate(self, place: Place, file: str | None, *, key: bool = False) -> Place:
        """The place with file, line and column: of the value, or with ``key`` of its key.

        If there is no such value, the position is that of the nearest one around it.
        """
        node = self.root
        line, column = 0, 0
        for depth, step in enumerate(place.path):
            positions = self._positions.get(node_id(node))
            position: SourcePosition
            if isinstance(node, dict) and isinstance(positions, dict) and step in positions:
                entry = positions[str(step)]
                wants_key = key and depth == len(place.path) - 1
                position = entry.key if wants_key or node[step] is None else entry.value
                node = node[step]
            elif (
                isinstance(node, list)
                and isinstance(positions, list)
                and isinstance(step, int)
                and 0 <= step < len(positions)
            ):
                position = positions[step]
                node = node[step]
            else:
                break
            line, column = position.line, position.column
        return Place(place.path, file, line + 1, column + 1)

    def spelling(self, path: Iterable[Step]) -> str:
        """The unquoted scalar at ``path`` as the text spells it."""
        place = self.locate(Place(tuple(path)), None)
        if not self._lines:
            self._lines.extend(_LINE_BREAK.split(self.text))
        found = _PLAIN.match(self._lines[(place.line or 1) - 1], (place.column or 1) - 1)
        return found[0] if found else ""
