"""What an import took over, left out and found, beside the lines of the document that say so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LONG: Final = 200
"""Characters of a line that is shown whole; of a longer one, what is around the value."""
_BEFORE, _AFTER = 60, 100
_MOST_ROWS: Final = 500
"""Rows of one table. More would take seconds to read, and to lay out."""
_TOKEN: Final = re.compile(
    r"""\{[^{}]*\}|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:(?!:(?:\s|$)|\s+(?:\#|$)|[,\[\]{}<>]).)+"""
)
"""A value of JSON, YAML or XML, as far as its line shows."""
_ORDER: Final = ("error", "warning", "info", "hint")
_QUERY: Final = "$.query."
_INDEX: Final = re.compile(r"\[\d+\]")
_OWN: Final = re.compile(r"^\$\.(?:apis\[\d+\]|applications\[\d+\]|settings)\.?")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceNote:
    """What stands beside a line."""

    look: str
    """`taken`, `left-out`, `differs`, or the severity of a finding."""
    label: str = ""
    """The property that a value is for: `cors.allow_headers`."""
    value: str = ""
    sentence: str = ""
    remedy: str = ""
    more_places: int = 0
    witness: str = ""
    """An origin that an attacker could use."""
    fix: str = ""
    rule: str = ""
    """The code of the linter's rule; empty for other notes."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A line of the document, or a member of an archive, with its notes; a gap has no pieces."""

    number: int | None
    pieces: tuple[tuple[bool, str], ...] = ()
    """The line in pieces, and whether each is the value that a note is about."""
    member: str = ""
    """The member of an archive, whose lines the page does not have."""
    notes: tuple[SourceNote, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedObject:
    """An API, an application or the settings, and what it was made of."""

    kind: str
    key: str
    changes: bool
    """Whether the object exists, and is changed."""
    rows: tuple[SourceRow, ...]
    values: int


@dataclass(frozen=True, slots=True)
class ImportView:
    """The body of `POST /v1/import`, for the page."""

    left_out: tuple[SourceRow, ...]
    left_out_count: int
    differs: tuple[SourceRow, ...]
    differs_count: int
    objects: tuple[ImportedObject, ...]
    kept: Sequence[Json]
    """Objects that stay as they are."""


def import_report(body: Json, text: str | None, name: str) -> ImportView:
    """What an import of a document does; ``text`` is None if it has no lines, ``name`` is that of places."""
    source = _Source(_lines(text), name)
    left_out = [_left_out_note(one) for one in body["left_out"]]
    left_out += [
        _diagnostic_note(one, "warning")
        for one in body["diagnostics"]
        if one["severity"] == "warning" and one["code"] != "left-out"
    ]
    differs = [_diagnostic_note(one, "differs") for one in body["diagnostics"] if one["severity"] == "info"]
    changed = {(one["kind"], one["key"]) for one in body["plan"]["changes"] if one["action"] == "change"}
    objects: dict[tuple[str, str], list[_Placed]] = {}
    owners: dict[str, tuple[str, str]] = {}
    for one in body["taken"]:
        owner = one["kind"], one["key"]
        objects.setdefault(owner, []).append(_Placed(one, _taken_note(one)))
        owners.setdefault(_object_path(one["path"]), owner)
    values = {owner: len(notes) for owner, notes in objects.items()}
    for one in body["findings"]:
        owner_or_none = owners.get(_object_path(one["document_path"]))
        if owner_or_none is not None:
            objects[owner_or_none].append(_Placed(one, _finding_note(one)))
    return ImportView(
        source.rows(left_out),
        len(left_out),
        source.rows(differs),
        len(differs),
        tuple(
            ImportedObject(kind, key, (kind, key) in changed, source.rows(notes), values[kind, key])
            for (kind, key), notes in objects.items()
        ),
        body["kept"],
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document is not used."""

    rows: tuple[SourceRow, ...]
    errors: int


def refusal_report(diagnostics: Sequence[Json], text: str | None, name: str) -> Refusal:
    """The diagnostics of a document beside its lines, those that refuse it first where there are no lines."""
    source = _Source(_lines(text), name)
    found = sorted(diagnostics, key=lambda one: _ORDER.index(one["severity"]))
    errors = sum(one["severity"] == "error" for one in found)
    return Refusal(source.rows([_Placed(one, _problem_note(one)) for one in found]), errors)


def shown_value(value: object) -> str:
    """A value of a document for people: a string as it is, an expression as it is, all else as JSON."""
    match value:
        case None:
            return "not set"
        case str():
            return value
        case {"regex": str(regex)}:
            return regex
        case _:
            return json.dumps(value, ensure_ascii=False)


def shown_path(path: str) -> str:
    """The property within its object: `cors.allow_headers` of `$.apis[0].cors.allow_headers[2]`."""
    return _INDEX.sub("", _OWN.sub("", path)).removeprefix("$").strip(".[]'")


def counted_objects(objects: Sequence[ImportedObject]) -> str:
    """How many there are of each kind: `2 APIs, 1 application, settings`."""
    kinds = [one.kind for one in objects]
    parts = [
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for word, count in (("API", kinds.count("api")), ("application", kinds.count("application")))
        if count
    ]
    return ", ".join([*parts, *(["settings"] if "settings" in kinds else [])])


@dataclass(frozen=True, slots=True)
class _Placed:
    place: Json
    note: SourceNote


def _taken_note(one: Json) -> SourceNote:
    more = max(0, one["places"] - 1)
    return SourceNote(
        "taken", _label(one["path"]), shown_value(one["value"]), one["reason"], more_places=more
    )


def _left_out_note(one: Json) -> _Placed:
    first: Json = one["findings"][0] if one["findings"] else {}
    return _Placed(
        one,
        SourceNote(
            "left-out",
            _label(one["path"]),
            shown_value(one["value"]),
            first.get("message", one["reason"]),
            "" if first.get("fix") else str(first.get("remedy", "")),
            max(0, one["places"] - 1),
            next((found["witness"] for found in one["findings"] if found["witness"]), ""),
            next((found["fix"] for found in one["findings"] if found["fix"]), ""),
            first.get("code", ""),
        ),
    )


def _diagnostic_note(one: Json, look: str) -> _Placed:
    return _Placed(one, SourceNote(look, "", one["found"] or "", one["message"], one["remedy"]))


def _problem_note(one: Json) -> SourceNote:
    where = f"Line {one['line']}, column {one['column']}" if one["line"] and one["column"] else ""
    return SourceNote(one["severity"], where, one["found"] or "", one["message"], one["remedy"])


def _finding_note(one: Json) -> SourceNote:
    return SourceNote(
        one["severity"],
        sentence=one["message"],
        remedy=one["remedy"],
        witness=one["witness"] or "",
        fix=one["fix"] or "",
        rule=one["code"],
    )


def _label(path: str) -> str:
    """The property, for one value after another: without the policy that has it."""
    return shown_path(path).removeprefix("cors.")


def _object_path(path: str) -> str:
    found = _OWN.match(path)
    return "" if found is None else found[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class _Source:
    """The lines of the document."""

    lines: Sequence[str]
    name: str

    def rows(self, placed: Iterable[_Placed]) -> tuple[SourceRow, ...]:
        """The lines that the notes are about with one before and after; then members, then the rest."""
        at_lines: dict[tuple[int, int], list[_Placed]] = {}
        members: dict[str, list[SourceNote]] = {}
        for one in placed:
            line, file = one.place["line"], one.place["file"]
            if file in (None, self.name) and line and line <= len(self.lines):
                # A long line, such as minified JSON, has a row for each value.
                column = (one.place["column"] or 1) if len(self.lines[line - 1]) > _LONG else 0
                at_lines.setdefault((line, column), []).append(one)
            else:
                members.setdefault(_member(one.place, self.name), []).append(one.note)
        rows = self._with_context(at_lines)
        rows += (SourceRow(None, member=name, notes=tuple(notes)) for name, notes in members.items())
        return tuple(rows[:_MOST_ROWS])

    def _with_context(self, marked: Mapping[tuple[int, int], Sequence[_Placed]]) -> list[SourceRow]:
        columns: dict[int, list[int]] = {}
        for line, column in sorted(marked):
            columns.setdefault(line, []).append(column)
        near = {line + step for line in columns for step in (-1, 0, 1)}
        rows: list[SourceRow] = []
        last = 0
        for number in sorted(near & set(range(1, len(self.lines) + 1))):
            if rows and number > last + 1:
                rows.append(SourceRow(None))
            if number in columns:
                rows += (self._row(number, one, marked[number, one]) for one in columns[number])
            else:
                rows.append(self._context(number))
            last = number
        return rows

    def _context(self, number: int) -> SourceRow:
        text = self.lines[number - 1].rstrip("\r")
        return SourceRow(number, ((False, text if len(text) <= _LONG else f"{text[:_AFTER]}…"),))

    def _row(self, number: int, column: int, placed: Sequence[_Placed]) -> SourceRow:
        text = self.lines[number - 1].rstrip("\r")
        spans = sorted({span for one in placed if (span := _span(text, one.place["column"]))})
        begin, end = 0, len(text)
        if column:
            begin = max(0, column - 1 - _BEFORE)
            end = min(len(text), column - 1 + _AFTER)
            spans = [(first, min(last, end)) for first, last in spans if first < end]
        pieces: list[tuple[bool, str]] = [(False, "…")] if begin else []
        at = begin
        for first, last in spans:
            if first >= at:
                pieces += [(False, text[at:first]), (True, text[first:last])]
                at = last
        pieces += [(False, text[at:end]), *([(False, "…")] if end < len(text) else [])]
        return SourceRow(
            number,
            tuple(one for one in pieces if one[1]),
            notes=tuple(dict.fromkeys(one.note for one in placed)),
        )


def _lines(text: str | None) -> Sequence[str]:
    return [] if text is None else text.removesuffix("\n").split("\n")


def _span(text: str, column: int | None) -> tuple[int, int] | None:
    if not column or column > len(text):
        return None
    found = _TOKEN.match(text, column - 1)
    return None if found is None else found.span()


def _member(place: Json, name: str) -> str:
    file, path = place["file"], place.get("source_path") or place.get("path", "")
    if file in (None, name):
        return f"Option {path.removeprefix(_QUERY)}" if path.startswith(_QUERY) else ""
    return f"{file} {path}".strip() if not place["line"] else f"{file}:{place['line']}"
