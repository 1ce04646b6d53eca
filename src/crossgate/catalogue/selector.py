"""Selectors: which APIs and applications are meant, by their labels, such as ``team=checkout,env!=test``.

They are a part of Kubernetes' label selectors
(https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors): ``key=value``,
``key!=value``, ``key`` and ``!key``, joined by commas; all must hold. Sets (``in``, ``notin``) are left out:
two values can be two calls, and a reader of a pipeline sees at once what one call may touch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.labels import Labels, parse_label_key, parse_label_value
from crossgate.diagnostics import Diagnostic, InvalidInput, Place

_TERM: Final = re.compile(r"\s*(!?)\s*([^!=\s]*)\s*(?:(!=|==?)\s*(\S*)\s*)?")
_REMEDY: Final = "Join key=value, key!=value, key and !key by commas: team=checkout,env!=test"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition of a selector."""

    key: str
    value: str | None = None
    """None: whether the key is there at all."""
    negated: bool = False
    """With a value, it holds for objects without the key too, as in Kubernetes."""

    def holds(self, labels: Labels) -> bool:
        """Whether an object with these labels fulfils it."""
        found = next((value for key, value in labels if key == self.key), None)
        positive = found is not None if self.value is None else found == self.value
        return positive is not self.negated

    def __str__(self) -> str:
        if self.value is None:
            return f"!{self.key}" if self.negated else self.key
        return f"{self.key}{'!=' if self.negated else '='}{self.value}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that must all hold."""

    requirements: tuple[Requirement, ...]

    def matches(self, labels: Labels) -> bool:
        """Whether it selects an object with these labels."""
        return all(one.holds(labels) for one in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def parse_selector(text: str, place: Place) -> Selector:
    """The selector of a string that stands at ``place``.

    An empty one is an error: an unset variable must not select everything.

    Raises:
        InvalidInput: with every error.

    """
    parsed = [_parse_requirement(term, place) for term in text.split(",")]
    errors = [one for one in parsed if isinstance(one, Diagnostic)]
    if errors:
        raise InvalidInput(errors)
    return Selector(tuple(one for one in parsed if isinstance(one, Requirement)))


def _parse_requirement(term: str, place: Place) -> Requirement | Diagnostic:
    found = _TERM.fullmatch(term)
    if found is None or (found[1] and found[3]) or not found[2]:
        return Diagnostic("selector-invalid", "not a condition on a label", _REMEDY, place, found=term)
    if found[3] == "!=" and not found[4]:
        # An unset variable: `team!=$TEAM` would select nearly everything.
        return Diagnostic("selector-invalid", "no value after !=", _REMEDY, place, found=term)
    key, value = parse_label_key(found[2]), None if found[3] is None else parse_label_value(found[4])
    for one in (key, value):
        if isinstance(one, Diagnostic):
            return Diagnostic("selector-invalid", one.message, _REMEDY, place, found=term)
    return Requirement(str(key), value if value is None else str(value), bool(found[1]) or found[3] == "!=")
