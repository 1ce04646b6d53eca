"""An edit of one object of the whole gateway: its form, what the API says about it, and a conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crossgate.console.difference import Line, ObjectDifference, difference_lines, differences
from crossgate.console.record_form import FormField, FormGroup
from crossgate.console.settings_effect import PlanEffect, plan_effect

_SHOWN: Final = 2
"""Findings that a field shows; the others open."""
_ORDER: Final = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings for the fields of a form."""

    by_name: Mapping[str, Sequence[Mapping[str, Any]]]
    others: Sequence[Mapping[str, Any]] = ()
    """Those that are about no field of the form."""

    def of(self, one: FormField) -> Sequence[Mapping[str, Any]]:
        """Those of one field, the gravest first."""
        return self.by_name.get(one.name, ())

    def first(self, one: FormField) -> Sequence[Mapping[str, Any]]:
        """Those of the field that are shown at once."""
        return self.of(one)[:_SHOWN]

    def more(self, one: FormField) -> Sequence[Mapping[str, Any]]:
        """The others of the field."""
        return self.of(one)[_SHOWN:]

    def has_error(self, one: FormField) -> bool:
        """Whether one of them is an error."""
        return any(found["severity"] == "error" for found in self.of(one))

    @property
    def errors(self) -> int:
        """How many errors there are."""
        every = [*self.others, *(one for found in self.by_name.values() for one in found)]
        return sum(one["severity"] == "error" for one in every)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the API says about an edit that is not saved."""

    changed: int
    """How many fields."""
    findings: Findings
    difference: Sequence[ObjectDifference] = ()
    effect: PlanEffect = field(default_factory=PlanEffect)
    revision: int | None = None
    """The revision that saving would make; None if the edit is invalid."""
    file: Mapping[str, Any] | None = None
    """In file mode, the file, the line and the patch; without a patch, the file is edited by hand."""

    @property
    def savable(self) -> bool:
        """Whether saving would succeed."""
        return self.revision is not None and not self.findings.errors


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else saved first: what both changed since the form was made."""

    theirs: tuple[Line, ...]
    mine: tuple[Line, ...]
    fields: tuple[str, ...]
    """Keys that both changed."""


def place_findings(groups: Iterable[FormGroup], found: Iterable[Mapping[str, Any]]) -> Findings:
    """Each finding at the field that its path is in, or with the others."""
    paths = {one.path: one.name for group in groups for one in group.every}
    heads = {group.path: group.fields[0].name for group in groups if group.fields}
    placed: dict[str, list[Mapping[str, Any]]] = {}
    others = []
    for one in sorted(found, key=lambda one: _ORDER.index(one["severity"])):
        path = one["path"]
        name = next((paths[start] for start in _starts(path) if start in paths), None) or heads.get(path)
        if name is None:
            others.append(one)
        else:
            placed.setdefault(name, []).append(one)
    return Findings(placed, others)


def planned(
    groups: Sequence[FormGroup], plan: Mapping[str, Any], file: Mapping[str, Any] | None = None
) -> Preview:
    """The preview of a valid edit, from the body of `POST /v1/plan`; ``file`` is the patch in file mode."""
    return Preview(
        changed=_changed(groups),
        findings=place_findings(groups, map(_as_refused, plan["findings"])),
        difference=differences([{**one, "before": one["before"] or None} for one in plan["changes"]]),
        effect=plan_effect(plan),
        revision=plan["base"] + 1,
        file=file,
    )


def refused(groups: Sequence[FormGroup], diagnostics: Iterable[Mapping[str, Any]]) -> Preview:
    """The preview of an edit that the API refuses to plan."""
    return Preview(_changed(groups), place_findings(groups, diagnostics))


def merge(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """Their object with what I changed since both read ``base``; where both changed a key, mine."""
    merged = dict(theirs)
    for key in base.keys() | mine.keys():
        if base.get(key) != mine.get(key):
            if key in mine:
                merged[key] = mine[key]
            else:
                merged.pop(key, None)
    return merged


def conflict(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Conflict:
    """What both changed since ``base``."""
    both = (
        key
        for key in sorted(base.keys() | theirs.keys() | mine.keys())
        if base.get(key) != theirs.get(key) != mine.get(key) != base.get(key)
    )
    return Conflict(difference_lines(base, theirs), difference_lines(base, mine), tuple(both))


def _changed(groups: Iterable[FormGroup]) -> int:
    return sum(one.changed for group in groups for one in group.every)


def _as_refused(finding: Mapping[str, Any]) -> Mapping[str, Any]:
    """A grave finding that does not refuse the change, such as one that was there before, is a warning."""
    if finding["severity"] == "error" and not finding["refuses"]:
        return {**finding, "severity": "warning"}
    return finding


def _starts(path: str) -> Iterable[str]:
    """The path and all its beginnings that end with a step, the longest first."""
    yield path
    for at in range(len(path) - 1, 0, -1):
        if path[at] in ".[":
            yield path[:at]
