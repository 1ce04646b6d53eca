"""How a document's field is read: by the parsers of the house, whose diagnostics pydantic carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator
from pydantic_core import PydanticCustomError

from crossgate.diagnostics import Diagnostic

DIAGNOSED: Final = "diagnosed"
"""The type of a pydantic error that carries our own diagnostics, in its context under the same name."""

_Value = TypeVar("_Value")


def diagnosed(diagnostics: Iterable[Diagnostic]) -> PydanticCustomError:
    """What a validator raises to report them; their places are relative to the field."""
    return PydanticCustomError(DIAGNOSED, "refused", {DIAGNOSED: tuple(diagnostics)})


def parsed_by(parse: Callable[[object], _Value | Diagnostic], written: object) -> PlainValidator:
    """The field holds what ``parse`` makes of the document's value; ``written`` is its type in the schema."""

    def validate(value: object) -> _Value:
        parsed = parse(value)
        if isinstance(parsed, Diagnostic):
            raise diagnosed([parsed])
        return parsed

    return PlainValidator(validate, json_schema_input_type=written)


def text_parsed_by(parse: Callable[[object], _Value | Diagnostic], written: object) -> PlainValidator:
    """The same for a text that is easily written as a number: ``1.10`` has lost its zero by now."""

    def parse_text(value: object) -> _Value | Diagnostic:
        if isinstance(value, str):
            return parse(value)
        raise PydanticCustomError("string_type", "no text")

    return parsed_by(parse_text, written)


def each_parsed_by(parse: Callable[[object], _Value | Diagnostic], written: object) -> PlainValidator:
    """The same for a list of such values."""

    def validate(values: object) -> tuple[_Value, ...]:
        if not isinstance(values, list):
            raise PydanticCustomError("list_type", "no list")
        parsed = [parse(value) for value in values]
        diagnostics = [
            found.within(index) for index, found in enumerate(parsed) if isinstance(found, Diagnostic)
        ]
        if diagnostics:
            raise diagnosed(diagnostics)
        return tuple(value for value in parsed if not isinstance(value, Diagnostic))

    return PlainValidator(validate, json_schema_input_type=list[written])  # type: ignore[valid-type]  # a value


class Entry(BaseModel):
    """A mapping of the document: no key but the known ones, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)
