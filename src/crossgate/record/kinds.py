"""The kinds of values: how each is read, written and described in JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from crossgate.diagnostics import Diagnostic
from crossgate.record.errors import MAX_ERRORS, MORE_ERRORS, Invalid, not_a_string, wrong_type

if TYPE_CHECKING:
    from crossgate.record.table import Record

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)

Schema = dict[str, object]
"""A JSON Schema."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Schemas that others refer to by name, and their records, as they are collected."""

    prefix: str = "#/$defs/"
    schemas: dict[str, Schema] = field(default_factory=dict)
    records: dict[str, Record[Any]] = field(default_factory=dict)


class ValueKind(Protocol[_Value]):
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
            return not_a_string(raw)
        parsed = self.parse(raw)
        return Invalid((parsed,)) if isinstance(parsed, Diagnostic) else parsed

    def write(self, value: _Value) -> object:
        """The value as a string."""
        return str(value)

    def schema(self, definitions: Definitions) -> Schema:
        """The schema as it was given."""
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
            return not_a_string(raw)
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
    or_zero: bool = False
    """Whether 0 is accepted too."""

    def read(self, raw: object) -> float | Invalid:
        """The number, as a float."""
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            within = self.least <= raw <= self.most
            if within or (self.or_zero and raw == 0):
                return float(raw)
        zero = "0 or " if self.or_zero else ""
        return wrong_type(f"{zero}a number from {self.least:g} to {self.most:g}, without quotes", raw)

    def write(self, value: float) -> object:
        """The number itself."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """A number with its bounds."""
        del definitions
        bounds: Schema = {"minimum": self.least, "maximum": self.most}
        return {"type": "number", **({"anyOf": [{"const": 0}, bounds]} if self.or_zero else bounds)}


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number within bounds, both included."""

    least: int
    most: int

    def read(self, raw: object) -> int | Invalid:
        """The number itself."""
        if isinstance(raw, int) and not isinstance(raw, bool) and self.least <= raw <= self.most:
            return raw
        return wrong_type(f"a whole number from {self.least} to {self.most}", raw)

    def write(self, value: int) -> object:
        """The number itself."""
        return value

    def schema(self, definitions: Definitions) -> Schema:
        """An integer with its bounds."""
        del definitions
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


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
        """A string that is one of the values."""
        del definitions
        return {"type": "string", "enum": [choice.value for choice in self.choices]}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[_Value]):
    """A list of values of one kind, read into a tuple. Programs can pass any sequence but a string."""

    kind: ValueKind[_Value]

    def read(self, raw: object) -> tuple[_Value, ...] | Invalid:
        """The entries, or the errors in all of them."""
        if not isinstance(raw, Sequence) or isinstance(raw, str | bytes | bytearray):
            return wrong_type("a list", raw, "Write a list with one entry for each; [] if there is none")
        read, values, errors = self.kind.read, [], list[Diagnostic]()
        for index, entry in enumerate(raw):
            value = read(entry)
            if not isinstance(value, Invalid):
                values.append(value)
                continue
            errors += value.within(index)
            if len(errors) >= MAX_ERRORS:
                errors.append(MORE_ERRORS)
                break
        return Invalid(tuple(errors)) if errors else tuple(values)

    def write(self, value: tuple[_Value, ...]) -> object:
        """The list of the raw entries."""
        return [self.kind.write(entry) for entry in value]

    def schema(self, definitions: Definitions) -> Schema:
        """An array."""
        return {"type": "array", "items": self.kind.schema(definitions)}


@dataclass(frozen=True, slots=True)
class Pairs(Generic[_Value]):
    """A mapping with any keys of one kind, read into pairs sorted by key, which compare and hash."""

    key: ValueKind[str]
    value: ValueKind[_Value]

    def read(self, raw: object) -> tuple[tuple[str, _Value], ...] | Invalid:
        """The pairs, or the errors in all keys and values; the place of both is the key's."""
        if not isinstance(raw, Mapping):
            return wrong_type("a mapping", raw, "Write keys and values; {} if there is none")
        pairs, errors = [], list[Diagnostic]()
        for name, entry in raw.items():
            key, value = self.key.read(name), self.value.read(entry)
            if isinstance(key, Invalid):
                errors += key.within(name)
            if isinstance(value, Invalid):
                errors += value.within(name)
            elif not isinstance(key, Invalid):
                pairs.append((key, value))
            if len(errors) >= MAX_ERRORS:
                errors.append(MORE_ERRORS)
                break
        return Invalid(tuple(errors)) if errors else tuple(sorted(pairs, key=itemgetter(0)))

    def write(self, value: tuple[tuple[str, _Value], ...]) -> object:
        """The mapping."""
        return {key: self.value.write(entry) for key, entry in value}

    def schema(self, definitions: Definitions) -> Schema:
        """An object with any properties."""
        names = self.key.schema(definitions)
        return {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": self.value.schema(definitions),
        }


@dataclass(frozen=True, slots=True)
class OneOrMore(Generic[_Value]):
    """One mapping, or a list of at least one, read into a tuple; null means none.

    A single one is written as itself, as by versions that knew no list.
    """

    kind: ValueKind[_Value]

    def read(self, raw: object) -> tuple[_Value, ...] | Invalid:
        """All of them, or the errors in all."""
        if raw is None:
            return ()
        if not isinstance(raw, Sequence) or isinstance(raw, str | bytes | bytearray):
            value = self.kind.read(raw)
            return value if isinstance(value, Invalid) else (value,)
        return ListOf(self.kind).read(raw) if raw else wrong_type("a mapping, or a list of some", raw)

    def write(self, value: tuple[_Value, ...]) -> object:
        """Null for none, the mapping of a single one, or the list."""
        written = [self.kind.write(one) for one in value]
        return written if len(written) > 1 else written[0] if written else None

    def schema(self, definitions: Definitions) -> Schema:
        """Each of the three forms."""
        one = self.kind.schema(definitions)
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class CheckedKind(Generic[_Value]):
    """A kind whose values must pass one more check, whose places are relative to the value."""

    kind: ValueKind[_Value]
    check: Callable[[_Value], Sequence[Diagnostic]]

    def read(self, raw: object) -> _Value | Invalid:
        """What the kind reads, or what the check finds."""
        value = self.kind.read(raw)
        if isinstance(value, Invalid):
            return value
        found = self.check(value)
        return Invalid(tuple(found)) if found else value

    def write(self, value: _Value) -> object:
        """What the kind writes."""
        return self.kind.write(value)

    def schema(self, definitions: Definitions) -> Schema:
        """The kind's schema: it describes no check."""
        return self.kind.schema(definitions)


@dataclass(frozen=True, slots=True)
class Nullable(Generic[_Value]):
    """A value of some kind, or null, which means the same as leaving the key out."""

    kind: ValueKind[_Value]

    def read(self, raw: object) -> _Value | Invalid | None:
        """None for null."""
        return None if raw is None else self.kind.read(raw)

    def write(self, value: _Value | None) -> object:
        """Null for None."""
        return None if value is None else self.kind.write(value)

    def schema(self, definitions: Definitions) -> Schema:
        """The kind's schema, or null."""
        return {"anyOf": [self.kind.schema(definitions), {"type": "null"}]}


Remedy = str | Callable[[object], str]
"""What to do about a refused value; a function gets the value."""


@dataclass(frozen=True, slots=True)
class Named(Generic[_Value]):
    """A kind whose refusals have a code and a message of their own, with the name of the field."""

    kind: ValueKind[_Value]
    code: str
    message: str
    remedy: Remedy

    def read(self, raw: object) -> _Value | Invalid:
        """What the kind reads. Errors inside the value, which have a place of their own, stay as they are."""
        value = self.kind.read(raw)
        if not isinstance(value, Invalid) or value.diagnostics[0].place.path:
            return value
        remedy = self.remedy if isinstance(self.remedy, str) else self.remedy(raw)
        return Invalid((Diagnostic(self.code, self.message, remedy, found=repr(raw)),))

    def write(self, value: _Value) -> object:
        """What the kind writes."""
        return self.kind.write(value)

    def schema(self, definitions: Definitions) -> Schema:
        """The kind's schema."""
        return self.kind.schema(definitions)


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
        """The schema as it was given."""
        del definitions
        return dict(self.described)
