"""What a plain scalar stands for, by the core schema of YAML 1.2 (§10.3.2)."""

from __future__ import annotations

import re
from typing import Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
# Python itself refuses longer ones, for reading them takes more than linear time.
_MAX_DIGITS: Final = 4000


class NumberTooLong(ValueError):  # noqa: N818 - the name says what is wrong
    """An integer with more digits than anyone needs."""


def resolve(text: str) -> Scalar:
    """The value of a scalar that is written without quotes.

    Raises:
        NumberTooLong: it is an integer of more than 4,000 digits.

    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise NumberTooLong
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
