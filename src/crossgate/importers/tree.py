"""JSON and YAML documents with the line and column of each value.

JSON is parsed by :mod:`json`, which is much faster than a YAML parser; positions are looked up when they are
needed. Each container is scanned for the positions of its entries at most once.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C scanner of strings
from typing import Final, Protocol

from crossgate.catalogue.yaml.events import MAX_FOREIGN_DEPTH, MAX_FOREIGN_NODES, parse_yaml_stream
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Step

_WHITE: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder()


class _Positions(Protocol):
    def locate(self, place: Place, file: str | None, *, key: bool = False) -> Place: ...


@dataclass(frozen=True, slots=True)
class Tree:
    """One JSON or YAML document: mappings with string keys, lists and scalars."""

    root: object
    file: str
    _positions: _Positions = field(repr=False)

    def place(self, *path: Step, key: bool = False) -> Place:
        """The place of the value at the path, or with ``key`` of its key; of the nearest one around it."""
        return self._positions.locate(Place(path), self.file, key=key)

    def get(self, *path: Step) -> object:
        """The value at the path; None if there is none."""
        node = self.root
        for step in path:
            if (isinstance(node, Mapping) and step in node) or (
                isinstance(node, Sequence)
                and not isinstance(node, str)
                and isinstance(step, int)
                and 0 <= step < len(node)
            ):
                node = node[step]  # type: ignore[index]  # a key of a mapping, or an index of a list
            else:
                return None
        return node


def parse_trees(text: str, file: str) -> tuple[Tree, ...]:
    """The documents in a JSON or YAML file; JSON has one.

    Raises:
        InvalidInput: with every error, each at its line and column.

    """
    error = None
    if text.lstrip(_WHITE)[:1] in ("{", "["):
        found = _parse_json(text, file)
        if isinstance(found, Tree):
            return (found,)
        error = found
        if error.code != "json-syntax" or len(text) > _LONGEST_FLOW:
            raise InvalidInput([error])
    elif _values_at_most(text, "\n,") > 2 * MAX_FOREIGN_NODES:
        raise InvalidInput([_too_many_values(file)])
    maps, errors = parse_yaml_stream(text)
    if errors:
        located = (replace(one, place=replace(one.place, file=file)) for one in errors)
        raise InvalidInput([error] if error is not None else located)
    return tuple(Tree(one.root, file, one) for one in maps)


_LONGEST_FLOW: Final = 2**18
"""Of a document that begins like JSON and is YAML. Parsing megabytes of YAML takes seconds, which is too long
for what is most probably JSON with an error."""


def _values_at_most(text: str, marks: str) -> int:
    """How many values can be in a string that has these marks between values."""
    return sum(map(text.count, marks))


def _too_many_values(file: str) -> Diagnostic:
    return Diagnostic(
        "too-many-values",
        f"the document has more than {MAX_FOREIGN_NODES:,} values",
        "Divide the document",
        Place(file=file),
    )


def _parse_json(text: str, file: str) -> Tree | Diagnostic:
    if _values_at_most(text, ",[{") > 2 * MAX_FOREIGN_NODES:
        return _too_many_values(file)
    unique = True

    def to_dict(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal unique
        node = dict(pairs)
        unique = unique and len(node) == len(pairs)
        return node

    def error(message: str, place: Place) -> Diagnostic:
        return Diagnostic("json-syntax", f"invalid JSON: {_lower(message)}", "Correct the JSON", place)

    try:
        root = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=to_dict)
    except json.JSONDecodeError as invalid:
        return error(invalid.msg, Place(file=file, line=invalid.lineno, column=invalid.colno))
    except (RecursionError, ValueError) as invalid:
        reason = "nested too deeply" if isinstance(invalid, RecursionError) else str(invalid)
        return error(reason, Place(file=file))
    if "\\ud" in text.lower() and not _is_unicode(root):
        # RFC 8259, section 8.2: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
        return error("a string has half of a surrogate pair", Place(file=file))
    if not _is_shallow(root):
        return error("nested too deeply", Place(file=file))
    positions = _JsonPositions(text)
    return Tree(root, file, positions) if unique else _find_duplicate(text, file, positions)


def _is_shallow(root: object) -> bool:
    """Whether no value is nested more deeply than in YAML, so that readers may recurse."""
    level = [root]
    for _ in range(MAX_FOREIGN_DEPTH + 1):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]')


def _find_duplicate(text: str, file: str, positions: _JsonPositions) -> Diagnostic:
    """The first key that its object has already, in a JSON text that has one."""
    objects: list[dict[str, int] | None] = []
    expects_key = False
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark == '"' and expects_key and objects and (keys := objects[-1]) is not None:
            key, _ = scanstring(text, token.start() + 1)
            first = keys.setdefault(key, token.start())
            if first != token.start():
                line, column = positions.line_and_column(token.start())
                return Diagnostic(
                    "duplicate-key",
                    f"duplicate key; first used on line {positions.line_and_column(first)[0]}",
                    "Keep one of the two",
                    Place(file=file, line=line, column=column),
                    key,
                )
        elif mark in "{[":
            objects.append({} if mark == "{" else None)
        elif mark in "}]":
            objects.pop()
        expects_key = mark in "{,"
    raise AssertionError("no key is there twice")


def _is_unicode(root: object) -> bool:
    try:
        json.dumps(root, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")


class _JsonPositions:
    """Finds the positions of values in a JSON text that is known to be valid."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[int] = []
        self._entries: dict[int, dict[Step, tuple[int, int]]] = {}

    def locate(self, place: Place, file: str | None, *, key: bool = False) -> Place:
        """The place with file, line and column, as :meth:`SourceMap.locate` does."""
        at = shown = self._skip(0)
        for depth, step in enumerate(place.path):
            entries = self._entries_at(at)
            if step not in entries:
                break
            key_at, at = entries[step]
            shown = key_at if key and depth == len(place.path) - 1 else at
        line, column = self.line_and_column(shown)
        return Place(place.path, file, line, column)

    def _entries_at(self, at: int) -> dict[Step, tuple[int, int]]:
        """The positions of the key and the value of each entry of the container that begins there."""
        found = self._entries.get(at)
        if found is None:
            found = self._entries[at] = self._scan(at)
        return found

    def _scan(self, at: int) -> dict[Step, tuple[int, int]]:
        text, opening = self._text, self._text[at]
        found: dict[Step, tuple[int, int]] = {}
        if opening not in "{[":
            return found
        at = self._skip(at + 1)
        while text[at] not in "}]":
            step: Step = len(found)
            key_at = at
            if opening == "{":
                step, at = scanstring(text, at + 1)
                at = self._skip(self._skip(at) + 1)
            found[step] = key_at, at
            _, at = _DECODER.raw_decode(text, at)
            at = self._skip(at)
            if text[at] == ",":
                at = self._skip(at + 1)
        return found

    def _skip(self, at: int) -> int:
        text = self._text
        while at < len(text) and text[at] in _WHITE:
            at += 1
        return at

    def line_and_column(self, at: int) -> tuple[int, int]:
        """The line and column of a character, which count from 1."""
        if not self._lines:
            begin = 0
            while begin >= 0:
                self._lines.append(begin)
                begin = self._text.find("\n", begin) + 1 or -1
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1
