"""Writes an imported document as YAML that says of each value where it is from and why.

The comments are printable and on one line each, whatever the documents contain, so that nothing in them ends
a comment. The text reads back as exactly the document.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.source_map import SourceMap
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import InvalidInput, Place, Step, printable
from crossgate.importers.result import Imported, ImportFinding, LeftOut, Taken

_LINE: Final = re.compile("(.*?)(\r\n|[\n\r\x85\u2028\u2029])", re.DOTALL)
"""A line as YAML counts them (YAML 1.1, section 4.1.4)."""
_WIDTH: Final = 120
"""A longer comment is above its line instead of at its end."""
_LONGEST: Final = 400
_EMPTY: Final = "no usable origin was found: add those of your pages here"
_OPTION: Final = ", or import with --origin https://app.example.com"
"""Where it is for one API only."""
_ALL_LEFT_OUT: Final = "no origin is left: correct those below, or add others"


def write_commented(imported: Imported) -> str:
    """The document as YAML, with a comment at each value and in place of each entry that is left out."""
    text = write_yaml(imported.document)
    positions, errors = parse_yaml(text)
    if positions is None:
        raise InvalidInput(errors)
    notes = _Notes(positions, imported.document)
    names = _short_names(imported)
    for taken in imported.taken:
        notes.add(taken.path, _origin_of(taken, names), multiline=_is_multiline(taken.value))
    listed = {one.path[:-1] for one in imported.left_out}
    apis = imported.document.get("apis")
    empty = f"{_EMPTY}{_OPTION}" if isinstance(apis, list) and len(apis) == 1 else _EMPTY
    for path in _empty_origins(imported.document):
        notes.add(path, _ALL_LEFT_OUT if path in listed else empty)
    for left_out in imported.left_out:
        notes.add_lines(left_out.path, list(_commented_out(left_out, names)))
    return "".join(f"{line}\n" for line in _header(imported)) + notes.write(text)


class _Notes:
    """Comments by the line of the text to which they belong; lines count from 0."""

    def __init__(self, positions: SourceMap, document: object) -> None:
        self._positions = positions
        self._document = document
        self._ends: dict[int, str] = {}
        self._above: defaultdict[int, list[str]] = defaultdict(list)
        self._last: defaultdict[int, list[str]] = defaultdict(list)

    @cached_property
    def _starts(self) -> list[int]:
        """The lines at which values begin."""
        return sorted({self._line(path) for path in _paths(self._document)})

    def add(self, path: tuple[Step, ...], comment: str, *, multiline: bool = False) -> None:
        line = self._line(path)
        if multiline or line in self._ends:
            self._above[line].append(_comment(comment))
        else:
            self._ends[line] = _comment(comment)

    def add_lines(self, path: tuple[Step, ...], lines: Sequence[str]) -> None:
        """Lines before the entry of a list; or after its last one."""
        entries = self._document
        for step in path[:-1]:
            entries = entries[step]  # type: ignore[index]  # a path of the document
        comments = [_comment(line) for line in lines]
        index = int(path[-1])
        if isinstance(entries, list) and index < len(entries):
            self._above[self._line(path)] += comments
            return
        begin = self._line((*path[:-1], index - 1) if entries else path[:-1])
        later = bisect_right(self._starts, begin)
        self._last[self._starts[later] - 1 if later < len(self._starts) else -1] += comments

    def write(self, text: str) -> str:
        lines = [(found[1], found[2]) for found in _LINE.finditer(text)]
        written = []
        for number, (line, end) in enumerate(lines):
            indent = line[: len(line) - len(line.lstrip(" "))]
            written += [f"{indent}{comment}\n" for comment in self._above[number]]
            comment = self._ends.get(number)
            if comment is not None and len(line) + 2 + len(comment) > _WIDTH:
                written.append(f"{indent}{comment}\n")
                comment = None
            written.append(line if comment is None else f"{line}  {comment}")
            written.append(end)
            last = -1 if number == len(lines) - 1 else number
            written += [f"{indent}{one}\n" for one in self._last[last]]
        return "".join(written)

    def _line(self, path: tuple[Step, ...]) -> int:
        return (self._positions.locate(Place(path), None, key=True).line or 1) - 1


def _comment(text: str) -> str:
    shown = printable(text[:_LONGEST]) + ("…" if len(text) > _LONGEST else "")
    return f"# {shown}"


def _header(imported: Imported) -> Iterator[str]:
    yield "# Imported by crossgate import; comments say where each value is from, and why."
    for name, kind in zip(imported.sources, imported.kinds, strict=False):
        yield _comment(f"{kind}: {name}")


def _short_names(imported: Imported) -> Mapping[str, str]:
    """The last part of each file's name, if no other file has the same; the header has the full names."""
    places = [*(one.place for one in imported.taken), *(one.place for one in imported.left_out)]
    named = (place.file for place in places if place is not None and place.file is not None)
    files = dict.fromkeys([*imported.sources, *named])
    short = {file: file.rstrip("/").rpartition("/")[2] or file for file in files}
    used = Counter(short.values())
    return {file: name if used[name] == 1 else file for file, name in short.items()}


def _origin_of(taken: Taken, names: Mapping[str, str]) -> str:
    """Where a value is from: ``api.yaml:7: reason (3 places)``."""
    more = f" ({taken.places} places)" if taken.places > 1 else ""
    return f"{_position(taken.place, names)}{taken.reason}{more}"


def _position(place: Place | None, names: Mapping[str, str]) -> str:
    if place is None:
        return ""
    file = "" if place.file is None else names.get(place.file, place.file)
    if place.line is not None:
        return f"{file}:{place.line}: "
    return f"{file} {place.json_path}: " if place.path else f"{file}: "


def _commented_out(left_out: LeftOut, names: Mapping[str, str]) -> Iterator[str]:
    yield f"left out, from {_origin_of(left_out, names)}"
    for finding in left_out.findings:
        yield _finding(finding)
    yield _entry(left_out.value)
    fixes = dict.fromkeys(one.fix for one in left_out.findings if one.fix is not None)
    for fix in fixes:
        yield "instead, verified:"
        yield _entry({"regex": fix})


def _finding(finding: ImportFinding) -> str:
    what = finding.diagnostic
    witness = ""
    if finding.witness is not None and finding.witness not in what.message:
        witness = f"; it admits {finding.witness}"
    return f"{what.severity.value}: {what.message}{witness} [{what.code}]"


def _entry(value: object) -> str:
    """The entry of a list on one line."""
    if _is_multiline(value):
        return f"- {json.dumps(value)}"  # JSON is YAML, and on one line
    return write_yaml({"x": [value]}).partition("\n")[2].rstrip("\n")


def _is_multiline(value: object) -> bool:
    """Whether the value may take several lines of YAML."""
    if isinstance(value, Mapping):
        return any(map(_is_multiline, value.values()))
    return isinstance(value, str) and value.splitlines() not in ([], [value])


def _paths(node: object, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in entries:
        yield (*path, step)
        yield from _paths(value, (*path, step))


def _empty_origins(document: Mapping[str, object]) -> Iterator[tuple[Step, ...]]:
    apis = document.get("apis")
    for index, api in enumerate(apis if isinstance(apis, list) else ()):
        cors = api.get("cors")
        if isinstance(cors, Mapping) and not cors.get("allowed_origins"):
            yield "apis", index, "cors", "allowed_origins"
