"""Records: objects described by one table of fields, which reads, writes and documents them.

A `Field` names a key, the kind of its value, its default and its documentation. A `Record` is a table of
fields and a class. From it come the object behind a raw mapping (`Record.read`), the raw mapping behind an
object (`Record.write`) and the JSON Schema of both (`Record.schema`). Raw values are what YAML and JSON give:
strings, numbers, booleans, None, lists and mappings with string keys.

Reading reports every error at once. It works fast enough for thousands of stored objects at a start, because
nothing about places or remedies is computed before there is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeVar

from crossgate.diagnostics import Diagnostic, Place, Step

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)

Schema = dict[str, object]
"""A JSON Schema."""

MAX_ERRORS: Final = 10_000
"""Of one list or mapping: reading it ends there."""
# Searching for similar keys costs more than all the rest, and hostile input can have any number of keys.
_MAX_SUGGESTIONS: Final = 5
_FOUND_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a raw value was refused: every error, its place relative to the value."""

    diagnostics: tuple[Diagnostic, ...]

    def within(self, step: Step) -> Iterable[Diagnostic]:
        """The errors as seen from the mapping or list around the value."""
        return (found.within(step) for found in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Schemas that others refer to by name, and their records, as they are collected."""

    prefix: str = "#/$defs/"
    schemas: dict[str, Schema] = field(default_factory=dict)
    records: dict[str, Record[Any]] = field(default_factory=dict)


class Kind(Protocol[_Value]):
    """A kind of value: how it is read, written and described."""

    def read(self, raw: object) -> _Value | Invalid:
        """The value, or every error in it."""
        ...

    def write(self, value: _Value) -> object:
        """The raw value, which reads back as ``value``."""
        ...

    def schema(self, definitions: Definitions) -> Schema:
        """What raw values may look like. It may accept more than `read`, never less."""
        ...


@dataclass(frozen=True, slots=True)
class Parsed(Generic[_Value]):
    """A value that a function parses from any raw value; it is written with ``str``."""

    parse: Callable[[object], _Value | Diagnostic]
    described: Schema = field(default_factory=lambda: {"type": "string"})
    string_only: bool = False
    """Refuse other types before parsing, and show how to quote a number: ``1.10`` has lost its zero."""

    def read(self, raw: object) -> _Value | Invalid:
        """What ``parse`` makes of it."""
        if self.string_only and not isinstance(raw, str):
            return Invalid((_not_a_string(raw),))
        parsed = self.parse(raw)
        return Invalid((parsed,)) if isinstance(parsed, Diagnostic) else parsed

    def write(self, value: _Value) -> object:
        """The value as a string."""
        return str(value)

    def schema(self, definitions: Definitions) -> Schema:
        """As described."""
        del definitions
        return dict(self.described)


@dataclass(frozen=True, slots=True)
class Text:
    """A string that is not empty, if so required, and matches a pattern as a whole, if there is one."""

    not_empty: bool = False
    pattern: str = ""

    def read(self, raw: object) -> str | Invalid:
        """The string itself."""
        if not isinstance(raw, str):
            return Invalid((_not_a_string(raw),))
        if self.not_empty and not raw:
            return wrong_type("a string that is not empty", raw)
        if self.pattern and not re.fullmatch(self.pattern, raw):
            return wrong_type(f"a string that matches {self.pattern}", raw)
        return raw

    def write(self, value: str) -> object:
        """The string itself."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """A string, with what is required of it."""
        del definitions
        length: Schema = {"minLength": 1} if self.not_empty else {}
        pattern: Schema = {"pattern": f"^{self.pattern}$"} if self.pattern else {}
        return {"type": "string", **length, **pattern}


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false; never a word or a number that may mean so."""

    def read(self, raw: object) -> bool | Invalid:
        """The boolean itself."""
        return raw if isinstance(raw, bool) else wrong_type("true or false", raw)

    def write(self, value: bool) -> object:  # noqa: FBT001 - the value itself
        """The boolean itself."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """A boolean."""
        del definitions
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds, both included."""

    least: float
    most: float

    def read(self, raw: object) -> float | Invalid:
        """The number, as a float."""
        if isinstance(raw, int | float) and not isinstance(raw, bool) and self.least <= raw <= self.most:
            return float(raw)
        return wrong_type(f"a number from {self.least:g} to {self.most:g}, without quotes", raw)

    def write(self, value: float) -> object:
        """The number itself."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """A number with its bounds."""
        del definitions
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Choice(Generic[_Choice]):
    """One of the values of an enumeration."""

    choices: type[_Choice]

    def read(self, raw: object) -> _Choice | Invalid:
        """The choice of that value."""
        if isinstance(raw, str):
            try:
                return self.choices(raw)
            except ValueError:
                pass
        return wrong_type(" or ".join(choice.value for choice in self.choices), raw)

    def write(self, value: _Choice) -> object:
        """The choice's value."""
        return value.value

    def schema(self, definitions: Definitions) -> Schema:
        """Its values."""
        del definitions
        return {"type": "string", "enum": [choice.value for choice in self.choices]}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[_Value]):
    """A list of values of one kind, read into a tuple."""

    kind: Kind[_Value]

    def read(self, raw: object) -> tuple[_Value, ...] | Invalid:
        """Every entry, or the errors in all of them."""
        if not isinstance(raw, list):
            return wrong_type("a list", raw, "Write a list with one entry for each; [] if there is none")
        read, values, errors = self.kind.read, [], list[Diagnostic]()
        for index, entry in enumerate(raw):
            value = read(entry)
            if not isinstance(value, Invalid):
                values.append(value)
                continue
            errors += value.within(index)
            if len(errors) >= MAX_ERRORS:
                errors.append(_MORE_ERRORS)
                break
        return Invalid(tuple(errors)) if errors else tuple(values)

    def write(self, value: tuple[_Value, ...]) -> object:
        """Every entry."""
        return [self.kind.write(entry) for entry in value]

    def schema(self, definitions: Definitions) -> Schema:
        """An array."""
        return {"type": "array", "items": self.kind.schema(definitions)}


@dataclass(frozen=True, slots=True)
class Nullable(Generic[_Value]):
    """A value of some kind, or null, which means the same as leaving the key out."""

    kind: Kind[_Value]

    def read(self, raw: object) -> _Value | Invalid | None:
        """None for null."""
        return None if raw is None else self.kind.read(raw)

    def write(self, value: _Value | None) -> object:
        """Null for None."""
        return None if value is None else self.kind.write(value)

    def schema(self, definitions: Definitions) -> Schema:
        """Either."""
        return {"anyOf": [self.kind.schema(definitions), {"type": "null"}]}


REQUIRED: Final = object()
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record, which is also the attribute of its class."""

    name: str
    kind: Kind[Any]
    doc: str
    """What the value means: sentences in Markdown, shown by editors and in the reference."""
    default: object = REQUIRED
    default_doc: str = ""
    """The default as the reference shows it."""
    always_written: bool = False
    """Write the value even if it is the default."""
    default_of: Callable[[Any], object] | None = None
    """The default as it stands in the object, where it depends on the object's other values."""

    @property
    def required(self) -> bool:
        """Whether the key must be there."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Record(Generic[_Value]):
    """A class and the table of the fields that its objects are read from and written to."""

    name: str
    """The name of its JSON Schema."""
    doc: str
    make: Callable[..., _Value]
    """Takes the fields that are there by name; it knows the defaults of the others."""
    fields: tuple[Field, ...]

    def read(self, raw: object) -> _Value | Invalid:
        """The object, or every error in it: of its values, missing keys and unknown ones."""
        if not isinstance(raw, Mapping):
            return wrong_type("a mapping", raw, "Write keys and values")
        values: dict[str, Any] = {}
        errors: list[Diagnostic] = []
        known = 0
        for one in self.fields:
            if one.name in raw:
                known += 1
                value = one.kind.read(raw[one.name])
                if isinstance(value, Invalid):
                    errors += value.within(one.name)
                else:
                    values[one.name] = value
            elif one.default is REQUIRED:
                errors.append(_missing_key(one))
        if known < len(raw):
            errors += unknown_keys(raw, [one.name for one in self.fields])
        return Invalid(tuple(errors)) if errors else self.make(**values)

    def write(self, value: _Value) -> dict[str, object]:
        """The object's values by key, in the order of the fields; defaults are left out."""
        raw: dict[str, object] = {}
        for one in self.fields:
            written = getattr(value, one.name)
            default = one.default if one.default_of is None else one.default_of(value)
            if one.always_written or written != default:
                raw[one.name] = one.kind.write(written)
        return raw

    def schema(self, definitions: Definitions) -> Schema:
        """A reference to the object's schema, which is among the definitions then."""
        if self.name not in definitions.schemas:
            definitions.records[self.name] = self
            definitions.schemas[self.name] = self.object_schema(definitions)
        return {"$ref": f"{definitions.prefix}{self.name}"}

    def object_schema(self, definitions: Definitions) -> Schema:
        """The object's schema itself."""
        schema: Schema = {
            "title": self.name,
            "description": self.doc,
            "type": "object",
            "additionalProperties": False,
            "properties": {one.name: _described(one, definitions) for one in self.fields},
        }
        required = [one.name for one in self.fields if one.required]
        return {**schema, "required": required} if required else schema


@dataclass(frozen=True, slots=True)
class Delegated(Generic[_Value]):
    """A value that functions read and write; ``record`` describes it and nothing else."""

    reader: Callable[[object], _Value | Invalid]
    writer: Callable[[_Value], object]
    record: Record[_Value]

    def read(self, raw: object) -> _Value | Invalid:
        """What ``reader`` makes of it."""
        return self.reader(raw)

    def write(self, value: _Value) -> object:
        """What ``writer`` makes of it."""
        return self.writer(value)

    def schema(self, definitions: Definitions) -> Schema:
        """The record's."""
        return self.record.schema(definitions)


@dataclass(frozen=True, slots=True)
class AsIs:
    """A raw value that is taken as it is and read later; only its schema is known here."""

    described: Schema

    def read(self, raw: object) -> object | Invalid:
        """The raw value."""
        return raw

    def write(self, value: object) -> object:
        """The raw value."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """As described."""
        del definitions
        return dict(self.described)


def wrong_type(expected: str, raw: object, remedy: str = "") -> Invalid:
    """The refusal of a value that has not the type, or is not among the values, that its key takes."""
    return Invalid(
        (
            Diagnostic(
                "wrong-type", f"expected {expected}", remedy or f"Write {expected}", found=as_found(raw)
            ),
        )
    )


def unknown_keys(raw: Iterable[str], known: Iterable[str]) -> list[Diagnostic]:
    """One error for each key that is not among the known ones, naming one that it resembles."""
    names = sorted(known)
    listed = ", ".join(names)
    unknown = list(islice((key for key in raw if key not in names), MAX_ERRORS + 1))
    found = [
        Diagnostic(
            code="unknown-key",
            message="unknown key",
            found=key,
            remedy=f"{_suggestion(key, names) if number < _MAX_SUGGESTIONS else ''}The keys are {listed}",
            place=Place((key,)),
        )
        for number, key in enumerate(unknown[:MAX_ERRORS])
    ]
    return [*found, _MORE_ERRORS] if len(unknown) > MAX_ERRORS else found


def quote_remedy(found: str) -> str:
    """What to do about a number, boolean or date where a string is expected."""
    return f'Quote it: "{found}"'


def as_found(raw: object) -> str:
    """The raw value as a document could have it, shortened."""
    if raw is None:
        return "nothing"
    try:
        text = json.dumps(raw, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(raw)
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]}…"


_MORE_ERRORS: Final = Diagnostic(
    "more-errors", f"more than {MAX_ERRORS:,} errors, of which the others are not listed", "Fix these first"
)


def _described(one: Field, definitions: Definitions) -> Schema:
    schema = {**one.kind.schema(definitions), "description": one.doc}
    if one.required or one.default is None:
        return schema
    default = one.kind.write(one.default)
    return schema if isinstance(default, dict) else {**schema, "default": default}


def _suggestion(key: str, names: list[str]) -> str:
    close = get_close_matches(key[:_FOUND_LENGTH], names, n=1)
    return f"Did you mean {close[0]}? " if close else ""


def _missing_key(one: Field) -> Diagnostic:
    return Diagnostic(
        "missing-key", f"required key {one.name} not found", f"Add {one.name}: {one.doc.removesuffix('.')}"
    )


def _not_a_string(raw: object) -> Diagnostic:
    found = as_found(raw)
    quotable = isinstance(raw, bool | int | float)
    remedy = quote_remedy(found) if quotable else "Write a string"
    return Diagnostic("wrong-type", "expected a string", remedy, found=found)
