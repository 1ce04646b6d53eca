"""Records: a class and the table of fields that its objects are read from and written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from crossgate.diagnostics import Diagnostic
from crossgate.record.errors import Invalid, unknown_keys, wrong_type
from crossgate.record.kinds import Definitions, Schema, ValueKind

_Value = TypeVar("_Value")

REQUIRED: Final = object()
"""Stands for the default of a field without one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record, which is also the attribute of its class."""

    name: str
    kind: ValueKind[Any]
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
        """Whether the key is required."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Record(Generic[_Value]):
    """A class and the table of the fields that its objects are read from and written to."""

    name: str
    """The name of its JSON Schema."""
    doc: str
    make: Callable[..., _Value]
    """Takes the given fields by name, and supplies the defaults of the others."""
    fields: tuple[Field, ...]
    other_names: Mapping[str, str] = field(default_factory=dict)
    """What other products call the keys, with what to write instead: for the error of an unknown key."""

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
            errors += unknown_keys(raw, [one.name for one in self.fields], self.other_names)
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
        """The schema of the record."""
        return self.record.schema(definitions)


def _described(one: Field, definitions: Definitions) -> Schema:
    schema = {**one.kind.schema(definitions), "description": one.doc}
    if one.required or one.default is None:
        return schema
    default = one.kind.write(one.default)
    return schema if isinstance(default, dict) else {**schema, "default": default}


def _missing_key(one: Field) -> Diagnostic:
    return Diagnostic(
        "missing-key", f"required key {one.name} not found", f"Add {one.name}: {one.doc.removesuffix('.')}"
    )
