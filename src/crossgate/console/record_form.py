"""A form for an object that a table of fields describes: so a new field of the file appears by itself.

It translates between a form's strings and the API's JSON. A field that was not touched keeps the value as it
was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from markupsafe import Markup, escape

from crossgate.diagnostics import Place, Step
from crossgate.policy.server_cors import PREFIX
from crossgate.record import (
    AsIs,
    Boolean,
    CheckedKind,
    Choice,
    Field,
    ListOf,
    Named,
    Nullable,
    Number,
    OneOrMore,
    Parsed,
    Record,
    Text,
    ValueKind,
    WholeNumber,
)

_CODE: Final = re.compile(r"`([^`]*)`")
_WORDS: Final = re.compile(r"[,\s]+")
_CAPITALS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_MARKUP: Final = Markup()
_ACRONYMS: Final = {"tls": "TLS", "ca": "CA", "kib": "KiB", "websocket": "WebSocket", "api": "API"}
_TOP_LEVEL: Final = 2
"""Steps of the path of a key of the object: that of the object, and the key."""
_EMPTY_ROWS: Final = 1
"""Rows for new entries below those of a list."""


class Control(StrEnum):
    """What a field looks like."""

    SWITCH = "switch"
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"
    LINES = "lines"
    """A list, one entry a line."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One input of the form."""

    name: str
    """Of the input; steps joined by dots."""
    path: str
    """As diagnostics name it: a JSONPath into the document."""
    label: str
    key: str
    """As documents have it."""
    control: Control
    value: str
    was: str
    """The value before the edit, as a form shows it."""
    choices: tuple[str, ...] = ()
    hint: Markup = _NO_MARKUP
    default: str = ""
    required: bool = False

    @property
    def changed(self) -> bool:
        """Whether the edit changes it."""
        return self.value != self.was

    @property
    def checked(self) -> bool:
        """Whether a switch is on."""
        return self.value == "true"

    @property
    def breakable_key(self) -> Markup:
        """The key, which may be broken after its dots."""
        return Markup(".<wbr>").join(self.key.split("."))

    @property
    def rows(self) -> int:
        """The height of a list's box."""
        return min(12, max(2, self.value.count("\n") + 2))


@dataclass(frozen=True, slots=True)
class FormGroup:
    """What stands in one row of the property table: one field, or the fields of an object inside."""

    label: str
    hint: Markup
    path: str
    fields: tuple[FormField, ...]
    rows: tuple[tuple[FormField, ...], ...] = ()
    """Of a list of objects, the inputs of each entry."""

    @property
    def changed(self) -> bool:
        """Whether the edit changes any of its fields."""
        return any(one.changed for one in self.every)

    @property
    def single(self) -> FormField | None:
        """The field, if it is the only one and is not inside an object."""
        return self.fields[0] if len(self.fields) == 1 and not self.rows and not self.label else None

    @property
    def every(self) -> Iterator[FormField]:
        """All inputs."""
        yield from self.fields
        for row in self.rows:
            yield from row


def form_groups(
    record: Record[Any],
    raw: Mapping[str, Any],
    before: Mapping[str, Any],
    path: tuple[Step, ...],
    omit: Iterable[str] = (),
) -> list[FormGroup]:
    """The form for ``raw``, the object after an edit of ``before``; ``path`` is that of the object."""
    skipped = frozenset(omit)
    return [
        group
        for one in record.fields
        if one.name not in skipped
        for group in _groups(one, raw.get(one.name), before.get(one.name), path)
    ]


def read_form(
    record: Record[Any], base: Mapping[str, Any], items: Mapping[str, str], omit: Iterable[str] = ()
) -> dict[str, Any]:
    """The object that a filled form declares, over the object that the form was made from."""
    skipped = frozenset(omit)
    read: dict[str, Any] = {}
    for one in record.fields:
        found = base.get(one.name) if one.name in skipped else _read(one, base.get(one.name), items, one.name)
        if found is not None:
            read[one.name] = found
    return read


def label_of(name: str) -> str:
    """A key as words: `native_timeout` and `maxAge` become `Native timeout` and `Max age`."""
    words = _CAPITALS.sub(" ", name.removeprefix(PREFIX)).replace("_", " ").lower()
    words = " ".join(_ACRONYMS.get(word, word) for word in words.split())
    return words[:1].upper() + words[1:]


def documentation(doc: str) -> Markup:
    """The documentation of a field as HTML: code in backquotes."""
    pieces = _CODE.split(doc)
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if at % 2 else escape(piece)
        for at, piece in enumerate(pieces)
    )


def _groups(field: Field, raw: Any, before: Any, path: tuple[Step, ...]) -> Iterator[FormGroup]:
    kind, inner = _bare(field.kind), (*path, field.name)
    label, hint = label_of(field.name), documentation(field.doc)
    if isinstance(kind, Record):
        now, then = _mapping(raw), _mapping(before)
        fields: list[FormField] = []
        for one in kind.fields:
            listed = _listed_record(_bare(one.kind))
            if listed is not None:
                yield _list_group(one, listed, now.get(one.name), then.get(one.name), (*inner, one.name))
            else:
                fields.append(
                    _field(
                        one, now.get(one.name), then.get(one.name), inner, optional_object=_optional(field)
                    )
                )
        if fields:
            yield FormGroup(label, hint, Place(inner).json_path, tuple(fields))
    elif (listed := _listed_record(kind)) is not None:
        yield _list_group(field, listed, raw, before, inner)
    else:
        yield FormGroup("", hint, Place(inner).json_path, (_field(field, raw, before, path),))


def _list_group(
    field: Field, record: Record[Any], raw: Any, before: Any, path: tuple[Step, ...]
) -> FormGroup:
    now, then = _list(raw), _list(before)
    rows = tuple(
        tuple(
            _field(one, _at(now, index).get(one.name), _at(then, index).get(one.name), (*path, index))
            for one in record.fields
        )
        for index in range(len(now) + _EMPTY_ROWS)
    )
    if isinstance(raw, Mapping):
        # The API's diagnostics know no index in the short form of a single entry.
        rows = (tuple(replace(one, path=Place((*path, one.key)).json_path) for one in rows[0]), *rows[1:])
    label = label_of(field.name)
    if len(path) > _TOP_LEVEL:
        label = f"{label_of(str(path[-2]))}: {label.lower()}"
    return FormGroup(label, documentation(field.doc), Place(path).json_path, (), rows)


def _field(
    field: Field, raw: Any, before: Any, path: tuple[Step, ...], *, optional_object: bool = False
) -> FormField:
    kind = _bare(field.kind)
    full = (*path, field.name)
    control = _control(field, kind)
    shown, was = shown_text(field, raw), shown_text(field, before)
    default = "" if field.required else (field.default_doc or _default_text(field.default))
    return FormField(
        name=".".join(map(str, full[1:])),
        path=Place(full).json_path,
        label=label_of(field.name),
        key=field.name,
        control=control,
        value=shown,
        was=was,
        choices=tuple(one.value for one in kind.choices) if isinstance(kind, Choice) else (),
        hint=documentation(_doc_of_switch(field.doc) if control is Control.SWITCH else field.doc),
        default=default.replace("`", ""),
        required=field.required and not optional_object,
    )


def _doc_of_switch(doc: str) -> str:
    """What a switch itself does not show: its two values are seen."""
    rest = doc.removeprefix("True or false").lstrip(".; ")
    return rest[:1].upper() + rest[1:]


def _control(field: Field, kind: object) -> Control:
    match kind:
        case Boolean():
            return Control.SWITCH
        case Choice():
            return Control.CHOICE
        case Number() | WholeNumber():
            return Control.NUMBER
        case ListOf():
            return Control.LINES
        case AsIs(described=schema):
            types = {one.get("type") for one in _alternatives(schema)}
            if "boolean" in types:
                return Control.SWITCH
            if "integer" in types:
                return Control.NUMBER
            return Control.LINES if "array" in types else Control.TEXT
        case Parsed() | Text():
            return Control.TEXT
        case _:
            raise TypeError(f"no control for the field {field.name}")


def shown_text(field: Field, raw: Any) -> str:
    """A value of the API's JSON as the form shows it; None stands for a field that is left out."""
    kind = _bare(field.kind)
    match _control(field, kind):
        case Control.SWITCH:
            value = field.default if raw is None else raw
            return "true" if value in (True, "true") else "false"
        case Control.CHOICE:
            return str(field.default if raw is None and not field.required else raw or "")
        case Control.LINES:
            words = _WORDS.split(raw) if isinstance(raw, str) else _list(raw)
            return "\n".join(str(one) for one in words if str(one))
        case Control.NUMBER:
            return "" if raw is None else f"{raw:.10g}" if isinstance(raw, float) else str(raw)
        case Control.TEXT:
            return "" if raw is None else str(raw)


def _read(field: Field, base: Any, items: Mapping[str, str], name: str) -> Any:
    kind = _bare(field.kind)
    if isinstance(kind, Record):
        within = {
            one.name: found
            for one in kind.fields
            if (found := _read(one, _mapping(base).get(one.name), items, f"{name}.{one.name}")) is not None
        }
        if _optional(field) and not any(within.get(one.name) for one in kind.fields if one.required):
            return None
        return within or None
    listed = _listed_record(kind)
    if listed is not None:
        rows = _read_rows(listed, _list(base), items, name)
        return rows[0] if isinstance(kind, OneOrMore) and len(rows) == 1 else rows or None
    return _read_value(field, kind, base, items.get(name, ""))


def _read_rows(
    record: Record[Any], base: Sequence[Any], items: Mapping[str, str], name: str
) -> list[dict[str, Any]]:
    found = []
    for index in range(len(base) + _EMPTY_ROWS):
        before = _at(base, index)
        row = {
            one.name: value
            for one in record.fields
            if (value := _read(one, before.get(one.name), items, f"{name}.{index}.{one.name}")) is not None
        }
        if row:
            found.append(row)
    return found


def _read_value(field: Field, kind: object, base: Any, text: str) -> Any:
    text = text.replace("\r\n", "\n")
    control = _control(field, kind)
    if control is Control.SWITCH:
        text = "true" if text else "false"
    elif control is Control.LINES:
        text = "\n".join(line.strip() for line in text.split("\n") if line.strip())
    else:
        text = text.strip()
    if text == shown_text(field, base):
        return base
    if control is Control.SWITCH:
        return text == "true"
    if not text:
        return None
    if control is Control.LINES:
        return text.split("\n")
    return _number(text) if control is Control.NUMBER else text


def _number(text: str) -> Any:
    """The number; other text stays, and the API says what is wrong with it."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, int | float) and not isinstance(found, bool) else text


def _bare(kind: ValueKind[Any] | Record[Any]) -> Any:
    """The kind without what only says that it may be missing, or how its errors read."""
    while isinstance(kind, Nullable | Named | CheckedKind):
        kind = kind.kind
    return kind


def _listed_record(kind: object) -> Record[Any] | None:
    """The record of a list's entries, if that is what they are."""
    inner = _bare(kind.kind) if isinstance(kind, ListOf | OneOrMore) else None
    return inner if isinstance(inner, Record) else None


def _optional(field: Field) -> bool:
    return isinstance(field.kind, Nullable)


def _alternatives(schema: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return found


def _default_text(default: object) -> str:
    match default:
        case bool():
            return "on" if default else "off"
        case int() | float() | str():
            return str(default)
        case _:
            return ""


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _list(raw: Any) -> Sequence[Any]:
    """The entries; a mapping is the only one."""
    return raw if isinstance(raw, list | tuple) else [raw] if isinstance(raw, Mapping) else ()


def _at(rows: Sequence[Any], index: int) -> Mapping[str, Any]:
    return _mapping(rows[index]) if index < len(rows) else {}
