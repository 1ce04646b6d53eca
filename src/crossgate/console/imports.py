"""The kinds of documents that can be imported, and what the API says about one, beside its lines.

A kind of document is one more entry of :data:`KINDS`; the page needs no change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

_CONTEXT: Final = 2
"""Lines around one that has a finding."""
_LONGEST: Final = 400
_ORDER: Final = ("error", "warning", "info", "hint")


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document: how it is recognised, and the calls that check, plan and apply it."""

    name: str
    sentence: str
    recognises: Callable[[str], bool]
    check: str
    plan: str
    apply: str


KINDS: Final = (
    DocumentKind(
        "Crossgate document",
        "YAML or JSON with gateway, settings, apis and applications: each object in it is added or replaced.",
        lambda _: True,
        "/v1/check",
        "/v1/plan",
        "/v1/apply",
    ),
)
"""In the order in which they are tried."""


def kind_of(text: str) -> DocumentKind:
    """The first kind that recognises the document."""
    return next(kind for kind in KINDS if kind.recognises(text))


def digest(text: str) -> str:
    """Tells whether the document is the one that was planned."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def normalised(text: str) -> str:
    """The text as it was pasted: forms send each end of a line as CR LF."""
    return text.replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line of the document with its findings; a gap has no number."""

    number: int | None
    text: str
    findings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check says."""

    valid: bool
    lines: tuple[MarkedLine, ...]
    others: tuple[Mapping[str, Any], ...]
    """Findings without a line."""
    errors: int


def checked(body: Mapping[str, Any], text: str) -> Checked:
    """The body of `POST /v1/check`, with the lines that it is about."""
    found: Sequence[Mapping[str, Any]] = body["diagnostics"]
    placed: dict[int, list[Mapping[str, Any]]] = {}
    others = []
    for one in sorted(found, key=lambda one: _ORDER.index(one["severity"])):
        if one["line"]:
            placed.setdefault(one["line"], []).append(one)
        else:
            others.append(one)
    errors = sum(one["severity"] == "error" for one in found)
    return Checked(body["valid"], tuple(_marked(text.splitlines(), placed)), tuple(others), errors)


def _marked(lines: Sequence[str], placed: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[MarkedLine]:
    near = sorted(
        {
            number + step
            for number in placed
            for step in range(-_CONTEXT, _CONTEXT + 1)
            if 1 <= number + step <= max(len(lines), number)
        }
    )
    shown: list[MarkedLine] = []
    last = 0
    for number in near:
        if shown and number > last + 1:
            shown.append(MarkedLine(None, "…"))
        text = lines[number - 1] if number <= len(lines) else ""
        shown.append(MarkedLine(number, text[:_LONGEST], tuple(placed.get(number, ()))))
        last = number
    return shown
