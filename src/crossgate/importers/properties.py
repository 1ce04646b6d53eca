"""Java properties files with the line of each property (`java.util.Properties.load`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import javaproperties

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.source import Source

_MOST_CONTINUATIONS: Final = 10_000
"""The parser joins the lines of a value one by one, which takes more than linear time."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a file; the last one with a key counts."""

    key: str
    value: str
    place: Place


def read_properties(source: Source) -> list[Property]:
    """The properties in their order; a file that is not UTF-8 is read as ISO-8859-1, as Java once did.

    Raises:
        InvalidInput: an escape is invalid, at its line.

    """
    text = _decode(source)
    if text.count("\\\n") + text.count("\\\r") > _MOST_CONTINUATIONS:
        raise _invalid(Place(file=source.name), f"more than {_MOST_CONTINUATIONS:,} lines are continued")
    line = 1
    found: list[Property] = []
    for part, size in _parts(source, text):
        if isinstance(part, javaproperties.KeyValue):
            place = Place((part.key,), source.name, line, 1)
            if not _is_unicode(part.key + part.value):
                raise _invalid(place, "an escape is half of a surrogate pair")
            found.append(Property(part.key, part.value, place))
        line += size
    return found


def _decode(source: Source) -> str:
    try:
        return source.text
    except InvalidInput:
        return source.data.decode("iso-8859-1")


def _parts(source: Source, text: str) -> Iterator[tuple[javaproperties.PropertiesElement, int]]:
    """The elements of the file, and how many lines each has."""
    line = 1
    parser = javaproperties.parse(text)
    while True:
        try:
            part = next(parser, None)
        except javaproperties.InvalidUEscapeError as error:
            place = Place(file=source.name, line=line, column=1)
            raise _invalid(place, f"invalid escape {error.escape}") from None
        if part is None:
            return
        size = len(part.source.splitlines())
        line += size
        yield part, size


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(place: Place, message: str) -> InvalidInput:
    return InvalidInput(
        [Diagnostic("properties-syntax", message, r"Write \u and four hexadecimal digits", place)]
    )
