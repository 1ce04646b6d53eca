"""Builds values with their positions from the events of a YAML parser.

Values are those of the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): ``yes`` and
``2001-01-01`` are strings. Tags and duplicate keys are refused. Depth, digits and the number of values are
bounded; what an alias stands for is counted each time it is used.

Other programs read their files as YAML 1.1: ``yes`` and ``off`` are booleans there, and a key ``<<`` merges
mappings into its own (https://yaml.org/type/merge.html). Documents that are not Crossgate's are read so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from crossgate.catalogue.yaml.source_map import (
    EntryPositions,
    NodeId,
    NodePositions,
    SourceMap,
    SourcePosition,
    node_id,
)
from crossgate.catalogue.yaml.syntax_errors import explain_syntax_error, find_forbidden_character
from crossgate.diagnostics import Diagnostic, Place, Step

# libyaml, if PyYAML was built with it: twenty times as fast, with the same events.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

MAX_DEPTH: Final = 40
MAX_NODES: Final = 500_000
MAX_FOREIGN_DEPTH: Final = 200
"""Of documents that are not Crossgate's: schemas in descriptions of APIs are nested deeply."""
MAX_FOREIGN_NODES: Final = 1_000_000


Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_OLD_WORDS: Final[dict[str, Scalar]] = {
    spelled: value
    for word, value in (("yes", True), ("on", True), ("no", False), ("off", False))
    for spelled in (word, word.capitalize(), word.upper())
}
"""Of YAML 1.1 (https://yaml.org/type/bool.html), without ``y`` and ``n``, which its parsers leave out."""
_MERGE: Final = "<<"
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
NUMBER_STARTS: Final = frozenset("0123456789+-.")
NUMBER: Final = re.compile(rf"(?:{_INTEGER.pattern}|{_FLOAT.pattern})\Z")
"""An unquoted scalar that is a number; it begins with one of ``NUMBER_STARTS``."""
_MAX_DIGITS: Final = 4000
"""Python refuses slightly longer ones: parsing them takes more than linear time."""


class NumberTooLongError(ValueError):
    """An integer has more than 4,000 digits."""


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar by the core schema of YAML 1.2 (§10.3.2).

    Raises:
        NumberTooLongError: it is an integer of more than 4,000 digits.

    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise NumberTooLongError
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been reached."""

    node: dict[str, object] | list[object]
    positions: NodePositions
    start: SourcePosition
    anchor: str | None
    nodes_before: int
    key: str | None = None
    key_position: SourcePosition | None = None
    step: Step = 0
    """The key or index of the entry that is being read, or was read last."""
    merges: bool = False
    """Whether that key is ``<<``, which merges mappings."""
    merged: tuple[object, SourcePosition] | None = None
    """What it merges, and where the key is."""


class _Anchored(NamedTuple):
    """A value that aliases can repeat, and how many values it consists of."""

    value: object
    size: int


class _RefusedError(Exception):
    """Parsing cannot continue."""

    def __init__(self, code: str, message: str, remedy: str, position: SourcePosition) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(
            code, message, remedy, Place(line=position.line + 1, column=position.column + 1)
        )


def parse_yaml(text: str) -> tuple[SourceMap | None, list[Diagnostic]]:
    """The values with their positions, and every error in the YAML; no values if parsing stopped early.

    The diagnostics have lines and columns, but no file.
    """
    builder = _Builder()
    stopped = _parse(text, builder)
    if stopped is not None:
        return None, [*builder.diagnostics, stopped]
    return SourceMap(
        text, builder.roots[0] if builder.roots else None, builder.positions
    ), builder.diagnostics


def parse_yaml_stream(text: str) -> tuple[list[SourceMap], list[Diagnostic]]:
    """The documents of a file that is not Crossgate's, and every error; none if parsing stopped early.

    There may be several documents, more and deeper values than in one of Crossgate's, and tags, which are
    ignored.
    """
    builder = _Builder(MAX_FOREIGN_DEPTH, MAX_FOREIGN_NODES, foreign=True)
    stopped = _parse(text, builder)
    if stopped is not None:
        return [], [*builder.diagnostics, stopped]
    return [SourceMap(text, root, builder.positions) for root in builder.roots], builder.diagnostics


def _parse(text: str, builder: _Builder) -> Diagnostic | None:
    """Feeds the builder; returns the error that stopped it."""
    forbidden = find_forbidden_character(text)
    if forbidden is not None:
        return forbidden
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _RefusedError as refused:
        return refused.diagnostic
    except yaml.MarkedYAMLError as error:
        return explain_syntax_error(text, error)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        return Diagnostic("yaml-syntax", f"invalid YAML: {message}", "Write a YAML file")
    return None


class _Builder:
    """Collects the parser's events into values. It keeps its own stack, so depth needs no recursion."""

    def __init__(
        self, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES, *, foreign: bool = False
    ) -> None:
        self.roots: list[object] = []
        """The values of the documents that are complete, or begun."""
        self.positions: dict[NodeId, NodePositions] = {}
        self.diagnostics: list[Diagnostic] = []
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self._foreign = foreign
        """Whether several documents, and tags, are accepted."""
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: object) -> None:
        # The most frequent first: there are as many scalars as all other events together.
        match event:
            case ScalarEvent():
                self._scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                self._open(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        self._anchors.clear()  # they end with their document (YAML 1.2.2, §9.2)
        if self._documents > 1 and not self._foreign:
            raise _RefusedError(
                "yaml-documents",
                "a second document begins here",
                "Keep one document per file: remove the line ---",
                _start(event),
            )

    def _scalar(self, event: ScalarEvent) -> None:
        position = _start(event)
        self._refuse_tag(event, position)
        if self._expects_key():
            self._begin_entry(event.value, position)
            self._stack[-1].merges = self._foreign and event.implicit[0] and event.value == _MERGE
            return
        try:
            value = resolve(event.value) if event.implicit[0] else event.value
        except NumberTooLongError:
            raise _RefusedError(
                "yaml-number",
                f"number with more than {_MAX_DIGITS:,} digits",
                "Write a smaller number",
                position,
            ) from None
        if self._foreign and event.implicit[0] and isinstance(value, str):
            value = _OLD_WORDS.get(value, value)
        self._count(1, position)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._put(value, position)

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        position = _start(event)
        self._refuse_tag(event, position)
        if self._expects_key():
            raise _RefusedError(
                "yaml-key", "a key must be a string", "Write a string before the colon", position
            )
        if len(self._stack) >= self._max_depth:
            raise _RefusedError(
                "yaml-depth",
                f"nested more than {self._max_depth} levels deep",
                "Look for brackets that are not closed: no Crossgate document is nested so deeply",
                position,
            )
        self._count(1, position)
        if isinstance(event, MappingStartEvent):
            opened = _Open({}, {}, position, event.anchor, self._nodes)
        else:
            opened = _Open([], [], position, event.anchor, self._nodes)
        self.positions[node_id(opened.node)] = opened.positions
        self._put(opened.node, position)
        self._stack.append(opened)

    def _close(self) -> None:
        closed = self._stack.pop()
        if closed.merged is not None:
            self._merge(closed, *closed.merged)
        if closed.anchor is not None:
            size = self._nodes - closed.nodes_before + 1
            self._anchors[closed.anchor] = _Anchored(closed.node, size)

    def _merge(self, opened: _Open, merged: object, position: SourcePosition) -> None:
        """Add the entries of the merged mappings; the mapping's own, then the earlier ones, come first."""
        for each in merged if isinstance(merged, list) else [merged]:
            positions = self.positions.get(node_id(each))
            if not isinstance(each, dict) or not isinstance(positions, dict):
                self.diagnostics.append(
                    Diagnostic(
                        "yaml-merge",
                        "the key << merges mappings, and there is something else",
                        "Name the anchor of a mapping, or a list of them",
                        Place(line=position.line + 1, column=position.column + 1),
                    )
                )
                return
            for key, value in each.items():
                if (
                    isinstance(opened.node, dict)
                    and isinstance(opened.positions, dict)
                    and key not in opened.node
                ):
                    opened.node[key] = value
                    opened.positions[key] = positions[key]

    def _alias(self, event: AliasEvent) -> None:
        position = _start(event)
        if self._expects_key():
            raise _RefusedError(
                "yaml-key", "a key must be a string", "Write a string before the colon", position
            )
        if event.anchor not in self._anchors:
            raise _RefusedError(
                "yaml-alias",
                f"anchor of the alias *{event.anchor} not found above it",
                f"Define &{event.anchor} above; quote a string that begins with *",
                position,
            )
        anchored = self._anchors[event.anchor]
        self._count(anchored.size, position)
        self._put(anchored.value, position)

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node, dict) and self._stack[-1].key is None

    def _begin_entry(self, key: str, position: SourcePosition) -> None:
        opened = self._stack[-1]
        opened.key, opened.key_position = key, position

    def _put(self, value: object, position: SourcePosition) -> None:
        if not self._stack:
            self.roots.append(value)
            return
        opened = self._stack[-1]
        if isinstance(opened.node, list) and isinstance(opened.positions, list):
            opened.step = len(opened.node)
            opened.node.append(value)
            opened.positions.append(position)
        elif isinstance(opened.node, dict) and isinstance(opened.positions, dict):
            key, key_position, opened.key = opened.key or "", opened.key_position or position, None
            opened.step = key
            if opened.merges:
                if opened.merged is not None:
                    self._report_duplicate(key, key_position, opened.merged[1])
                opened.merged = value, key_position
                return
            if key in opened.node:
                self._report_duplicate(key, key_position, opened.positions[key].key)
                return
            opened.node[key] = value
            opened.positions[key] = EntryPositions(key_position, position)

    def _report_duplicate(self, key: str, position: SourcePosition, first: SourcePosition) -> None:
        path = [opened.step for opened in self._stack[:-1]]
        self.diagnostics.append(
            Diagnostic(
                "duplicate-key",
                f"duplicate key; first used on line {first.line + 1}",
                "Keep one of the two",
                Place((*path, key), line=position.line + 1, column=position.column + 1),
                found=key,
            )
        )

    def _count(self, nodes: int, position: SourcePosition) -> None:
        self._nodes += nodes
        if self._nodes > self._max_nodes:
            raise _RefusedError(
                "yaml-size",
                f"more than {self._max_nodes:,} values, those behind aliases counted each time",
                "Declare fewer objects, or use fewer aliases",
                position,
            )

    def _refuse_tag(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, position: SourcePosition
    ) -> None:
        if event.tag is not None and not self._foreign:
            raise _RefusedError(
                "yaml-tag",
                f"tag {event.tag} not supported",
                "Remove the tag; quote a value to make it a string",
                position,
            )


def _start(event: Event) -> SourcePosition:
    return cast("SourcePosition", event.start_mark)  # only the ends of streams and documents have none
