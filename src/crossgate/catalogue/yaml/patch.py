"""Edits the text of a document: objects get new values, and everything else stays, comments included.

It knows the edits that suggested changes need: items at the end of a list, a new key, another scalar. The
caller reads the result and compares: an edit that cannot be made here is not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crossgate.catalogue.yaml.writer import write_yaml

_PLAIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.*:-]+|[Xx]-[A-Za-z0-9-]+")
"""Strings that need no quotes anywhere: most origins, and names of own headers."""
_IDENTITY: Final = ("name", "version")


class UneditableError(ValueError):
    """The document has a form that is not edited here."""


@dataclass(frozen=True, slots=True)
class ObjectEdit:
    """An object of a document before and after; both as the writer of documents has it."""

    section: str
    """``apis``, ``applications``, ``gateway`` or ``settings``."""
    before: Mapping[str, object]
    after: Mapping[str, object]


@dataclass(frozen=True, slots=True, order=True)
class _Insertion:
    begin: int
    end: int
    text: str


def edit_document(text: str, edits: Sequence[ObjectEdit]) -> str:
    """The text with these edits.

    Raises:
        UneditableError: it has a form that is not edited here.

    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UneditableError(str(error)) from error
    found = [
        one
        for edit in edits
        for one in _edit_mapping(text, _find_object(root, edit), edit.before, edit.after)
    ]
    for one in sorted(found, reverse=True):
        text = text[: one.begin] + one.text + text[one.end :]
    return text


def _find_object(root: Node | None, edit: ObjectEdit) -> Node:
    section = _value_of(root, edit.section)
    if not isinstance(section, SequenceNode):
        return _required(section, edit.section)
    wanted = {key: str(edit.before[key]) for key in _IDENTITY if key in edit.before}
    for item in section.value:
        values = {key: _value_of(item, key) for key in wanted}
        if {key: node.value for key, node in values.items() if isinstance(node, ScalarNode)} == wanted:
            found: Node = item
            return found
    raise UneditableError(f"not found: {wanted}")


def _edit_mapping(
    text: str, node: Node, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[_Insertion]:
    if before.keys() - after.keys():
        raise UneditableError("a key would be removed")
    for key, new in after.items():
        old = before.get(key)
        if old == new:
            continue
        value = _value_of(node, key)
        if value is None and old:
            raise UneditableError(f"not found: {key}")
        if value is None:
            yield _add_key(text, node, key, new)
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _edit_mapping(text, value, old, new)
        elif isinstance(new, list) and isinstance(value, SequenceNode):
            yield _add_items(text, value, _added(old if isinstance(old, list) else [], new))
        elif isinstance(value, ScalarNode) and value.style not in ("|", ">"):
            yield _Insertion(value.start_mark.index, value.end_mark.index, _inline(new))
        else:
            raise UneditableError(f"the value of {key}")


def _added(old: list[object], new: list[object]) -> list[object]:
    added = [one for one in new if one not in old]
    if [one for one in new if one in old] != old:
        raise UneditableError("items would be removed or moved")
    return added


def _add_items(text: str, node: SequenceNode, items: list[object]) -> _Insertion:
    written = [_inline(one) for one in items]
    if not node.value:
        at = node.end_mark.index - 1
        return _Insertion(at, at, ", ".join(written))
    at = _end_of(node.value[-1])
    if node.flow_style:
        return _Insertion(at, at, "".join(f", {one}" for one in written))
    at = _end_of_line(text, at)
    indent = " " * int(node.start_mark.column)
    return _Insertion(at, at, "".join(f"\n{indent}- {one}" for one in written))


def _add_key(text: str, node: Node, key: str, value: object) -> _Insertion:
    if not isinstance(node, MappingNode) or not node.value:
        raise UneditableError(f"there is nothing to add {key} to")
    at, written = _end_of(node.value[-1][1]), f"{key}: {_inline(value)}"
    if node.flow_style:
        return _Insertion(at, at, f", {written}")
    at = _end_of_line(text, at)
    return _Insertion(at, at, f"\n{' ' * int(node.value[0][0].start_mark.column)}{written}")


def _end_of(node: Node) -> int:
    """Where the text of a value ends; for a block, PyYAML says where the next token begins."""
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        raise UneditableError("a block scalar")
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return _end_of(node.value[-1][1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _end_of(node.value[-1])
    return int(node.end_mark.index)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def _value_of(node: Node | None, key: str) -> Node | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and name.value == key:
                found: Node = value
                return found
    return None


def _required(node: Node | None, name: str) -> Node:
    if node is None:
        raise UneditableError(f"there is no {name}")
    return node


def _inline(value: object) -> str:
    """The value on one line, in a style that is valid inside brackets, too."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    written = write_yaml({"flow": [value]}, flow=True)
    return written[written.index("[") + 1 : written.rindex("]")]
