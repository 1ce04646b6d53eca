"""Edits the text of a document: objects get new values, and everything else stays, comments included.

It knows the edits that suggested changes and updates by an import need: items of a list, a key, another
scalar. The caller reads the result and compares: an edit that cannot be made here is not made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from crossgate.catalogue.yaml.edits import TextEdit, UneditableError, apply_edits, end_of_line, write_inline

_PLAIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.*:-]+(?:/[A-Za-z0-9._~/-]*)?|[Xx]-[A-Za-z0-9-]+")
"""Strings that need no quotes anywhere: most origins, and names of own headers."""
_IDENTITY: Final = ("name", "version")


@dataclass(frozen=True, slots=True)
class ObjectEdit:
    """An object of a document before and after; both as the writer of documents has it."""

    section: str
    """``apis``, ``applications``, ``gateway`` or ``settings``."""
    before: Mapping[str, object]
    after: Mapping[str, object]


def edit_document(text: str, edits: Sequence[ObjectEdit]) -> str:
    """The text with these edits.

    Raises:
        UneditableError: it has a form that is not edited here.

    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UneditableError(str(error)) from error
    objects = _Objects(root)
    return apply_edits(
        text,
        [one for edit in edits for one in _edit_mapping(text, objects.find(edit), edit.before, edit.after)],
    )


class _Objects:
    """The objects of a document, those of a list by their identity: an import can edit all of them."""

    def __init__(self, root: Node | None) -> None:
        self._root = root
        self._lists: dict[str, dict[tuple[str | None, ...], Node]] = {}

    def find(self, edit: ObjectEdit) -> Node:
        section = _value_of(self._root, edit.section)
        if not isinstance(section, SequenceNode):
            return _required(section, edit.section)
        if edit.section not in self._lists:
            # The first of several with one identity counts.
            self._lists[edit.section] = {_identity(one): one for one in reversed(section.value)}
        wanted = tuple(str(edit.before[key]) if key in edit.before else None for key in _IDENTITY)
        return _required(self._lists[edit.section].get(wanted), " ".join(filter(None, wanted)))


def _identity(item: Node) -> tuple[str | None, ...]:
    values = (_value_of(item, key) for key in _IDENTITY)
    return tuple(one.value if isinstance(one, ScalarNode) else None for one in values)


def _edit_mapping(
    text: str, node: Node, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[TextEdit]:
    for key in before.keys() - after.keys():
        yield _remove_key(text, node, key)
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
        elif isinstance(new, list | tuple) and isinstance(value, SequenceNode):
            yield from _edit_items(text, value, old if isinstance(old, list | tuple) else (), new)
        elif isinstance(value, ScalarNode) and value.style not in ("|", ">"):
            yield TextEdit(value.start_mark.index, value.end_mark.index, _inline(new))
        else:
            raise UneditableError(f"the value of {key}")


def _edit_items(
    text: str, node: SequenceNode, old: Sequence[object], new: Sequence[object]
) -> Iterator[TextEdit]:
    if len(old) != len(node.value):
        raise UneditableError("the list has other items")
    before, after = ([json.dumps(one, sort_keys=True) for one in side] for side in (old, new))
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        same = min(i2 - i1, j2 - j1)
        for step in range(same):
            item = node.value[i1 + step]
            yield TextEdit(item.start_mark.index, _end_of(item), _inline(new[j1 + step]))
        if j2 - j1 > same:
            yield _add_items(text, node, i1 + same, new[j1 + same : j2])
        elif i2 - i1 > same:
            yield _remove_items(text, node, i1 + same, i2)


def _add_items(text: str, node: SequenceNode, position: int, items: Sequence[object]) -> TextEdit:
    written = [_inline(one) for one in items]
    if not node.value:
        at = node.end_mark.index - 1
        return TextEdit(at, at, ", ".join(written))
    if position == 0:
        at = node.value[0].start_mark.index
        between = ", " if node.flow_style else f"\n{' ' * int(node.start_mark.column)}- "
        return TextEdit(at, at, "".join(f"{one}{between}" for one in written))
    at = _end_of(node.value[position - 1])
    if node.flow_style:
        return TextEdit(at, at, "".join(f", {one}" for one in written))
    at = end_of_line(text, at)
    indent = " " * int(node.start_mark.column)
    return TextEdit(at, at, "".join(f"\n{indent}- {one}" for one in written))


def _remove_items(text: str, node: SequenceNode, first: int, end: int) -> TextEdit:
    spans = [(int(one.start_mark.index), _end_of(one)) for one in node.value]
    if node.flow_style or end - first == len(spans):
        return _remove_spans(node, spans, first, end)
    return _remove_lines(text, spans[first][0], spans[end - 1][1], "-")


def _remove_key(text: str, node: Node, key: str) -> TextEdit:
    if not isinstance(node, MappingNode):
        raise UneditableError(f"there is nothing to remove {key} from")
    names = [getattr(name, "value", None) for name, _ in node.value]
    if key not in names or len(names) == 1:
        raise UneditableError(f"{key} cannot be removed")
    at = names.index(key)
    spans = [(int(name.start_mark.index), _end_of(value)) for name, value in node.value]
    if node.flow_style:
        return _remove_spans(node, spans, at, at + 1)
    return _remove_lines(text, *spans[at], "")


def _remove_spans(node: CollectionNode, spans: Sequence[tuple[int, int]], first: int, end: int) -> TextEdit:
    """Without some of the values between brackets, and without their commas."""
    if not node.flow_style:
        # Of a block, nothing would be left: its key would have no value.
        raise UneditableError("the list would be empty")
    if end < len(spans):
        return TextEdit(spans[first][0], spans[end][0], "")
    begin = spans[first - 1][1] if first else spans[0][0]
    return TextEdit(begin, spans[-1][1], "")


def _remove_lines(text: str, begin: int, end: int, lead: str) -> TextEdit:
    """Without the lines of a value, of which ``lead`` and white space precede it in its line."""
    start = text.rfind("\n", 0, begin) + 1
    if text[start:begin].strip() != lead:
        raise UneditableError("the line has more than the value")
    after = text.find("\n", end)
    return TextEdit(start, len(text) if after < 0 else after + 1, "")


def _add_key(text: str, node: Node, key: str, value: object) -> TextEdit:
    if not isinstance(node, MappingNode) or not node.value:
        raise UneditableError(f"there is nothing to add {key} to")
    at, written = _end_of(node.value[-1][1]), f"{key}: {_inline(value)}"
    if node.flow_style:
        return TextEdit(at, at, f", {written}")
    at = end_of_line(text, at)
    return TextEdit(at, at, f"\n{' ' * int(node.value[0][0].start_mark.column)}{written}")


def _end_of(node: Node) -> int:
    """Where the text of a value ends; for a block, PyYAML says where the next token begins."""
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        raise UneditableError("a block scalar")
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return _end_of(node.value[-1][1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _end_of(node.value[-1])
    return int(node.end_mark.index)


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
    return write_inline(value)
