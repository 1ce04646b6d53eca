"""Unquoted scalars by the core schema of YAML 1.2."""

from __future__ import annotations

import math

import pytest

from crossgate.catalogue.yaml.events import NumberTooLongError, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.0", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.INF", -math.inf),
        ("yes", "yes"),
        ("on", "on"),
        ("nULL", "nULL"),
        ("1.0.0", "1.0.0"),
        ("2001-01-01", "2001-01-01"),
        ("190:20", "190:20"),
        ("1_000", "1_000"),
        ("-", "-"),
        (".", "."),
        ("0x", "0x"),
        ("٣", "٣"),
    ],
)
def test_unquoted_scalars(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(float(str(resolve(".NaN"))))


def test_an_integer_of_too_many_digits_is_refused_unparsed() -> None:
    with pytest.raises(NumberTooLongError):
        resolve("9" * 4001)
