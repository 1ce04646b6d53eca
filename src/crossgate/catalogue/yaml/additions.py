"""Adds objects to the text of a document: at the end of their sections, with their comments.

What the document has stays byte for byte. The caller reads the result and compares: an edit that cannot be
made here is not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crossgate.catalogue.yaml.edits import TextEdit, UneditableError, apply_edits, end_of_line, write_inline

_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n")
_INDENT: Final = 2


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of what is added."""

    name: str
    text: str
    """Its lines, with the comments before them."""
    items: tuple[str, ...]
    """The lines of each item with the comments before it; of a mapping, all of them as one."""
    column: int
    """Where the items begin."""
    value: object


def add_objects(text: str, addition: str) -> str:
    """The document with the sections of another one: items of lists, and whole sections.

    Raises:
        UneditableError: the document has a form to which nothing can be added here.

    """
    end = "\r\n" if "\r\n" in text else "\n"
    text += "" if text.endswith("\n") else end
    root = _compose(text)
    if not isinstance(root, MappingNode) or root.flow_style:
        raise UneditableError("a document in braces")
    nodes = {name.value: value for name, value in root.value}
    indent = _usual_indent(nodes.values())
    edits: list[TextEdit] = []
    missing = ""
    for section in _sections(addition):
        if section.name in nodes:
            edits += _add_to(text, nodes[section.name], section, indent)
        else:
            missing += "\n" if _BLANK_LINE.search(text) else ""
            missing += f"{section.text}\n"
    if missing:
        at = _document_end(text)
        edits.append(TextEdit(at, at, missing))
    return apply_edits(text, edits)


def _compose(text: str) -> Node | None:
    try:
        found: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UneditableError(str(error)) from error
    return found


def _document_end(text: str) -> int:
    """Where a section can be added after all others: before the line ``...``, if there is one."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.DocumentEndEvent) and event.explicit and event.start_mark is not None:
            return int(event.start_mark.index)
    return len(text)


def _usual_indent(values: Iterable[Node]) -> int:
    """The column of the dashes in the document's own lists."""
    lists = (one for one in values if isinstance(one, SequenceNode) and not one.flow_style)
    return next((int(one.start_mark.column) for one in lists), _INDENT)


def _add_to(text: str, node: Node, section: _Section, indent: int) -> Iterator[TextEdit]:
    expected = SequenceNode if isinstance(section.value, list) else MappingNode
    if not isinstance(node, expected):
        raise UneditableError(f"the value of {section.name}")
    begin, after = int(node.start_mark.index), int(node.end_mark.index)
    if not node.value:
        if text[begin:after].strip("[]{} "):
            raise UneditableError(f"the value of {section.name}")
        at = end_of_line(text, after)
        yield TextEdit(begin, after, "")
        yield TextEdit(at, at, _lines(section, indent if expected is SequenceNode else _INDENT))
    elif expected is MappingNode:
        raise UneditableError(f"the value of {section.name}")
    elif node.flow_style:
        at = _content_end(text, node.value[-1])
        yield TextEdit(at, at, "".join(f", {write_inline(one)}" for one in _listed(section.value)))
    else:
        at = _last_line_end(text, node)
        spaced = len(node.value) > 1 and bool(
            _BLANK_LINE.search(
                text, int(node.value[-2].start_mark.index), int(node.value[-1].start_mark.index)
            )
        )
        yield TextEdit(at, at, _lines(section, int(node.start_mark.column), spaced=spaced))


def _lines(section: _Section, column: int, *, spaced: bool = False) -> str:
    """The items as lines, each after a line feed, that begin at the column."""
    shift = column - section.column
    before = "\n\n" if spaced else "\n"
    return "".join(f"{before}{_shifted(one, shift)}" for one in section.items)


def _shifted(lines: str, shift: int) -> str:
    if shift >= 0:
        return "\n".join(f"{' ' * shift}{line}" if line else line for line in lines.split("\n"))
    return "\n".join(line[min(-shift, len(line) - len(line.lstrip(" "))) :] for line in lines.split("\n"))


def _last_line_end(text: str, node: Node) -> int:
    """The end of the last line of a section: of its last value, or of an indented comment after it."""
    at = end_of_line(text, _content_end(text, node))
    while (begin := text.find("\n", at) + 1) > 0:
        after = end_of_line(text, begin)
        line = text[begin:after]
        if not line.startswith(" ") or not line.lstrip(" ").startswith("#"):
            break
        at = after
    return at


def _content_end(text: str, node: Node) -> int:
    """Where the text of a value ends; for a block, PyYAML says where the next token begins."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return _content_end(text, node.value[-1][1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _content_end(text, node.value[-1])
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end


def _sections(addition: str) -> Iterator[_Section]:
    root = _compose(addition)
    if not isinstance(root, MappingNode):
        return
    values = yaml.safe_load(addition)
    at = 0
    for name, node in root.value:
        end = _last_line_end(addition, node)
        begin = end_of_line(addition, int(name.end_mark.index)) + 1
        starts = [begin]
        if isinstance(node, SequenceNode):
            starts += (end_of_line(addition, _content_end(addition, one)) + 1 for one in node.value[:-1])
        ends = [*starts[1:], end]
        items = tuple(addition[start:stop].strip("\n") for start, stop in zip(starts, ends, strict=True))
        text = addition[at:end].strip("\n")
        yield _Section(name.value, text, items, int(node.start_mark.column), values[name.value])
        at = end


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
