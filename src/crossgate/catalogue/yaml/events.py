"""From the events of a YAML parser to values with their positions; nothing hostile gets past the budget."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast

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

from crossgate.catalogue.yaml.source_map import SourceMap, SourcePosition
from crossgate.catalogue.yaml.syntax_errors import explain_syntax_error, find_forbidden_character
from crossgate.diagnostics import Diagnostic, Place, Step

# libyaml, where there is one: twenty times as fast, and its events are the same.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

MAX_DEPTH: Final = 40
MAX_NODES: Final = 500_000


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end is not reached."""

    node: dict[str, object] | list[object]
    marks: dict[str, tuple[SourcePosition, SourcePosition]] | list[SourcePosition]
    start: SourcePosition
    anchor: str | None
    nodes_before: int
    key: str | None = None
    key_mark: SourcePosition | None = None
    step: Step = 0
    """Leads to the entry that is being read, or was last."""


class _Refused(Exception):  # noqa: N818 - says what happened to the text
    """Reading cannot go on."""

    def __init__(self, code: str, message: str, remedy: str, mark: SourcePosition) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, remedy, Place(line=mark.line + 1, column=mark.column + 1))


def parse_yaml(text: str) -> tuple[SourceMap | None, list[Diagnostic]]:
    """The tree, and what is wrong with the text as YAML; None if it could not be read to its end.

    The diagnostics have lines and columns, and no file.
    """
    forbidden = find_forbidden_character(text)
    if forbidden is not None:
        return None, [forbidden]
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Refused as refused:
        return None, [*builder.diagnostics, refused.diagnostic]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.diagnostics, explain_syntax_error(text, error)]
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        return None, [Diagnostic("yaml-syntax", f"this is not YAML: {message}", "Write a YAML file")]
    return SourceMap(text, builder.root, builder.marks), builder.diagnostics


class _Builder:
    """Puts values together from the parser's events; a stack of its own, so depth costs no recursion."""

    def __init__(self) -> None:
        self.root: object = None
        self.marks: dict[int, dict[str, tuple[SourcePosition, SourcePosition]] | list[SourcePosition]] = {}
        self.diagnostics: list[Diagnostic] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: object) -> None:
        # The commonest first: there are as many of them as of all others together.
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
        if self._documents > 1:
            raise _Refused(
                "yaml-documents",
                "a second document begins here",
                "Keep one document a file: remove the line ---",
                _start(event),
            )

    def _scalar(self, event: ScalarEvent) -> None:
        mark = _start(event)
        self._refuse_tag(event, mark)
        if self._expects_key():
            self._begin_entry(event.value, mark)
            return
        try:
            value = resolve(event.value) if event.implicit[0] else event.value
        except NumberTooLong:
            raise _Refused(
                "yaml-number", "this number has too many digits", "Write a number of sane size", mark
            ) from None
        self._count(1, mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, mark)

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        mark = _start(event)
        self._refuse_tag(event, mark)
        if self._expects_key():
            raise _Refused("yaml-key", "a key must be a text", "Write a text before the colon", mark)
        if len(self._stack) >= MAX_DEPTH:
            raise _Refused(
                "yaml-depth",
                f"nested more than {MAX_DEPTH} levels deep",
                "Nothing in a Crossgate document is nested so deeply; look for brackets left open",
                mark,
            )
        self._count(1, mark)
        if isinstance(event, MappingStartEvent):
            opened = _Open({}, {}, mark, event.anchor, self._nodes)
        else:
            opened = _Open([], [], mark, event.anchor, self._nodes)
        self.marks[id(opened.node)] = opened.marks
        self._put(opened.node, mark)
        self._stack.append(opened)

    def _close(self) -> None:
        closed = self._stack.pop()
        if closed.anchor is not None:
            self._anchors[closed.anchor] = (closed.node, self._nodes - closed.nodes_before + 1)

    def _alias(self, event: AliasEvent) -> None:
        mark = _start(event)
        if self._expects_key():
            raise _Refused("yaml-key", "a key must be a text", "Write a text before the colon", mark)
        if event.anchor not in self._anchors:
            raise _Refused(
                "yaml-alias",
                f"*{event.anchor} refers to an anchor that does not stand before it",
                f"Write &{event.anchor} before the value it stands for; quote a text that begins with *",
                mark,
            )
        value, size = self._anchors[event.anchor]
        self._count(size, mark)
        self._put(value, mark)

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node, dict) and self._stack[-1].key is None

    def _begin_entry(self, key: str, mark: SourcePosition) -> None:
        opened = self._stack[-1]
        opened.key, opened.key_mark = key, mark

    def _put(self, value: object, mark: SourcePosition) -> None:
        if not self._stack:
            self.root = value
            return
        opened = self._stack[-1]
        if isinstance(opened.node, list) and isinstance(opened.marks, list):
            opened.step = len(opened.node)
            opened.node.append(value)
            opened.marks.append(mark)
        elif isinstance(opened.node, dict) and isinstance(opened.marks, dict):
            key, key_mark, opened.key = opened.key or "", opened.key_mark or mark, None
            opened.step = key
            if key in opened.node:
                self._complain_of_duplicate(key, key_mark, opened.marks[key][0])
                return
            opened.node[key] = value
            opened.marks[key] = (key_mark, mark)

    def _complain_of_duplicate(self, key: str, mark: SourcePosition, first: SourcePosition) -> None:
        path = [opened.step for opened in self._stack[:-1]]
        self.diagnostics.append(
            Diagnostic(
                "duplicate-key",
                f"the key stands here for the second time; the first is in line {first.line + 1}",
                "Keep one of them",
                Place((*path, key), line=mark.line + 1, column=mark.column + 1),
                found=key,
            )
        )

    def _count(self, nodes: int, mark: SourcePosition) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _Refused(
                "yaml-size",
                f"more than {MAX_NODES:,} values, those behind aliases counted each time",
                "Split the document, or use fewer aliases",
                mark,
            )

    def _refuse_tag(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, mark: SourcePosition
    ) -> None:
        if event.tag is not None:
            raise _Refused(
                "yaml-tag",
                f"the tag {event.tag} has no meaning here",
                "Leave the tag out; quote a value to make it a text",
                mark,
            )


def _start(event: Event) -> SourcePosition:
    return cast("SourcePosition", event.start_mark)  # only ends of streams and documents have none


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
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
NUMBER_STARTS: Final = frozenset("0123456789+-.")
NUMBER: Final = re.compile(rf"(?:{_INTEGER.pattern}|{_FLOAT.pattern})\Z")
"""A plain scalar that is a number; it begins with one of ``NUMBER_STARTS``."""
# Python itself refuses longer ones, for reading them takes more than linear time.
_MAX_DIGITS: Final = 4000


class NumberTooLong(ValueError):  # noqa: N818 - the name says what is wrong
    """An integer with more digits than anyone needs."""


def resolve(text: str) -> Scalar:
    """The value of a scalar that is written without quotes.

    Raises:
        NumberTooLong: it is an integer of more than 4,000 digits.

    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise NumberTooLong
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
