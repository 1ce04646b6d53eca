"""Records: what their tables read, write and describe, and how much of hostile input they report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.record import (
    Boolean,
    Choice,
    Definitions,
    Field,
    Invalid,
    ListOf,
    Nullable,
    Number,
    Parsed,
    Record,
    Text,
    unknown_keys,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Wheel:
    size: float = 1.0
    colour: Colour = Colour.RED


@dataclass(frozen=True, slots=True)
class Cart:
    name: str
    number: int = 7
    code: str | None = None
    wheels: tuple[Wheel, ...] = ()
    old: bool = False
    label: str = "x"


def _parse_number(raw: object) -> int | Diagnostic:
    if isinstance(raw, str) and raw.isdigit():
        return int(raw)
    return Diagnostic("number-invalid", "a number must be digits", "Write 7", found=repr(raw))


WHEEL = Record(
    "Wheel",
    "A wheel.",
    Wheel,
    (
        Field("size", Number(0.5, 2), "Its size.", default=1.0),
        Field("colour", Choice(Colour), "Its colour.", default=Colour.RED),
    ),
)
CART = Record(
    "Cart",
    "A cart.",
    Cart,
    (
        Field("name", Text(not_empty=True, pattern="[a-z]*"), "Its name."),
        Field(
            "number", Parsed(_parse_number, string_only=True), "Its number.", default=7, always_written=True
        ),
        Field("code", Nullable(Text()), "Its code.", default=None),
        Field("wheels", ListOf(WHEEL), "Its wheels.", default=()),
        Field("old", Boolean(), "Whether it is old.", default=False),
        Field("label", Text(), "Its label.", default="x", default_of=lambda cart: cart.name),
    ),
)


@pytest.mark.parametrize(
    ("raw", "cart"),
    [
        ({"name": "a", "number": "7", "label": "x"}, Cart("a")),
        (
            {"name": "b", "number": "8", "code": "c", "wheels": [{"size": 2.0}, {}], "old": True},
            Cart("b", 8, "c", (Wheel(2.0), Wheel()), old=True, label="b"),
        ),
    ],
)
def test_defaults_are_left_out(raw: dict[str, object], cart: Cart) -> None:
    assert CART.write(cart) == raw
    assert CART.read({"label": cart.label, **raw}) == cart


def test_an_unset_value_is_its_default() -> None:
    assert CART.read({"name": "a"}) == CART.read({"name": "a", "code": None}) == Cart("a")


@pytest.mark.parametrize(
    ("raw", "errors"),
    [
        ([], [("wrong-type", "$", "[]")]),
        ({}, [("missing-key", "$", None)]),
        ({"name": ""}, [("wrong-type", "$.name", '""')]),
        ({"name": "A"}, [("wrong-type", "$.name", '"A"')]),
        ({"name": 1.5, "nam": 0}, [("wrong-type", "$.name", "1.5"), ("unknown-key", "$.nam", "nam")]),
        ({"name": "a", "number": 7}, [("wrong-type", "$.number", "7")]),
        ({"name": "a", "number": "x"}, [("number-invalid", "$.number", "'x'")]),
        ({"name": "a", "code": 1}, [("wrong-type", "$.code", "1")]),
        ({"name": "a", "old": "yes"}, [("wrong-type", "$.old", '"yes"')]),
        ({"name": "a", "old": None}, [("wrong-type", "$.old", "nothing")]),
        ({"name": "a", "wheels": {}}, [("wrong-type", "$.wheels", "{}")]),
        (
            {
                "name": "a",
                "wheels": [{"size": True}, {"size": float("nan")}, {"size": 2.1}, {"colour": []}, 1],
            },
            [
                ("wrong-type", "$.wheels[0].size", "true"),
                ("wrong-type", "$.wheels[1].size", "NaN"),
                ("wrong-type", "$.wheels[2].size", "2.1"),
                ("wrong-type", "$.wheels[3].colour", "[]"),
                ("wrong-type", "$.wheels[4]", "1"),
            ],
        ),
    ],
)
def test_every_error_is_reported(raw: object, errors: list[tuple[str, str, str | None]]) -> None:
    found = CART.read(raw)
    assert isinstance(found, Invalid)
    assert [(one.code, one.place.json_path, one.found) for one in found.diagnostics] == errors
    assert all(one.message and one.remedy for one in found.diagnostics)


def test_a_similar_key_is_suggested() -> None:
    [found] = unknown_keys(["wheel"], ["name", "wheels"])
    assert found.remedy == "Did you mean wheels? The keys are name, wheels"


@pytest.mark.parametrize(
    "raw",
    [{"name": "a", "wheels": [0] * 50_000}, {"name": "a", **{f"k{number}": 0 for number in range(50_000)}}],
    ids=["list", "mapping"],
)
def test_errors_beyond_a_bound_are_not_listed(raw: object) -> None:
    found = CART.read(raw)
    assert isinstance(found, Invalid)
    assert len(found.diagnostics) == 10_001
    assert found.diagnostics[-1].code == "more-errors"


def test_the_schema_describes_every_field() -> None:
    definitions = Definitions("#/parts/")
    assert CART.schema(definitions) == {"$ref": "#/parts/Cart"}
    assert list(definitions.records) == ["Cart", "Wheel"]
    assert definitions.schemas["Wheel"] == {
        "title": "Wheel",
        "description": "A wheel.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "size": {
                "type": "number",
                "minimum": 0.5,
                "maximum": 2,
                "description": "Its size.",
                "default": 1.0,
            },
            "colour": {
                "type": "string",
                "enum": ["red", "blue"],
                "description": "Its colour.",
                "default": "red",
            },
        },
    }
    assert definitions.schemas["Cart"]["required"] == ["name"]
