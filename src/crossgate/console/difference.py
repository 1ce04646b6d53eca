"""What a change does to an object, line by line, as a document has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from crossgate.catalogue.yaml.writer import write_yaml

_CONTEXT: Final = 2
"""Unchanged lines around what changed."""
_SECTIONS: Final = {"api": "apis", "application": "applications"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``sign`` is `+`, `-` or a space; a gap has none, and stands for unchanged lines."""

    number: int | None
    """Counted from 1 in the object before, for added lines after the change."""
    sign: str
    text: str

    @property
    def is_gap(self) -> bool:
        """Whether it stands for unchanged lines that are not shown."""
        return not self.sign


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """One object that a change touches."""

    heading: str
    """Such as `apis[petstore/1.0]`."""
    lines: tuple[Line, ...]


def differences(changes: Sequence[Mapping[str, Any]], *, as_json: bool = False) -> list[ObjectDifference]:
    """Of each change of a plan or a revision: ``kind``, ``key``, ``before`` and ``after``."""
    return [
        ObjectDifference(
            _heading(one), difference_lines(one.get("before"), one.get("after"), as_json=as_json)
        )
        for one in changes
    ]


def difference_lines(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, as_json: bool = False
) -> tuple[Line, ...]:
    """The lines of an object that differ, with their context and the gaps between them."""
    write = _json_lines if as_json else _yaml_lines
    return tuple(_shorten(list(_compare(write(before), write(after)))))


def _heading(change: Mapping[str, Any]) -> str:
    section = _SECTIONS.get(change["kind"])
    return f"{section}[{change['key']}]" if section else str(change["kind"])


def _yaml_lines(found: Mapping[str, Any] | None) -> list[str]:
    return [] if found is None else write_yaml(found).splitlines()


def _json_lines(found: Mapping[str, Any] | None) -> list[str]:
    return [] if found is None else json.dumps(found, indent=2, ensure_ascii=False).splitlines()


def _compare(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (Line(at + 1, " ", before[at]) for at in range(i1, i2))
        else:
            yield from (Line(at + 1, "-", before[at]) for at in range(i1, i2))
            yield from (Line(at + 1, "+", after[at]) for at in range(j1, j2))


def _shorten(lines: Sequence[Line]) -> Iterator[Line]:
    changed = [at for at, one in enumerate(lines) if one.sign != " "]
    near = {at + step for at in changed for step in range(-_CONTEXT, _CONTEXT + 1)}
    skipped = 0
    for at, one in enumerate(lines):
        if at in near:
            if skipped:
                yield _gap(skipped)
            skipped = 0
            yield one
        else:
            skipped += 1
    if skipped and changed:
        yield _gap(skipped)


def _gap(count: int) -> Line:
    return Line(None, "", f"{count} unchanged line{'' if count == 1 else 's'}")
