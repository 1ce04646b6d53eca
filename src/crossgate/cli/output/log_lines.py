"""Renders records of the log: as JSON objects, one a line, or in a form for people.

Values may come from clients: JSON is ASCII, and text has every character escaped that could control a
terminal. Strings are shortened, so that a line stays below what log collectors accept (16 KiB), except if
most of it has to be escaped.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from crossgate.diagnostics import printable
from crossgate.service.log import LogLevel, logger_name

LONGEST_STRING: Final = 4000
_COLOURS: Final = {LogLevel.DEBUG: "2", LogLevel.INFO: "32", LogLevel.WARNING: "33", LogLevel.ERROR: "31"}
"""SGR parameters (ECMA-48, §8.3.117)."""
_LEVEL_WIDTH: Final = max(map(len, LogLevel)) + 1
_NAMES: Final = ("time", "level", "message", "logger", "details", "exception")

Render = Callable[[logging.LogRecord], str]
"""Returns one or more whole lines, without the last line feed."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A record, read."""

    time: datetime
    level: LogLevel
    message: str
    logger: str
    details: str
    """What followed the first line of the message."""
    exception: str
    fields: Mapping[str, object]
    text: str | None

    @classmethod
    def of(cls, record: logging.LogRecord) -> _Line:
        """Read a record, which may be another library's."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit: the line is still worth reading
            message = str(record.msg)
        message, _, details = message.partition("\n")
        fields = getattr(record, "fields", {})
        return cls(
            datetime.fromtimestamp(record.created, UTC),
            _level(record.levelno),
            _shorten(message),
            logger_name(record),
            _shorten(details.strip("\n")),
            _shorten(_exception(record)),
            fields if isinstance(fields, Mapping) else {},
            getattr(record, "text", None),
        )


def render_json(record: logging.LogRecord) -> str:
    """The record as a JSON object: time (RFC 3339), level, message, then its fields."""
    line = _Line.of(record)
    values: dict[str, object] = {
        "time": line.time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": line.level.value,
        "message": line.message,
    }
    for name, value in line.fields.items():
        values[f"{name}_" if name in _NAMES else name] = _jsonable(value)
    values["logger"] = line.logger
    if line.details:
        values["details"] = line.details
    if line.exception:
        values["exception"] = line.exception
    return json.dumps(values)


def text_renderer(*, colours: bool) -> Render:
    """A function that renders records for people; each of their lines begins with time and level."""

    def render(record: logging.LogRecord) -> str:
        line = _Line.of(record)
        time = line.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level = line.level.value.ljust(_LEVEL_WIDTH)
        if colours:
            time, level = f"\x1b[2m{time}\x1b[0m", f"\x1b[{_COLOURS[line.level]}m{level}\x1b[0m"
        first = line.text if line.text is not None else _with_fields(line)
        below = [f"  {rest}" for rest in f"{line.details}\n{line.exception}".splitlines() if rest]
        return "\n".join(f"{time} {level}{printable(one)}" for one in (first, *below))

    return render


def _with_fields(line: _Line) -> str:
    return " ".join(
        [f"{line.logger}: {line.message}", *(f"{name}={_word(value)}" for name, value in line.fields.items())]
    )


def _word(value: object) -> str:
    text = _shorten(str(value))
    plain = text and text.isprintable() and not any(sign in text for sign in ' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


def _level(number: int) -> LogLevel:
    return next((level for level in reversed(LogLevel) if number >= level.number), LogLevel.DEBUG)


def _exception(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    # Without local variables, tokens among them.
    return "".join(traceback.format_exception(*record.exc_info)).strip("\n")


def _jsonable(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():
            # JSON has no NaN and no infinity.
            return value if value - value == 0 else str(value)
        case Mapping():
            return {str(name): _jsonable(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_jsonable(one) for one in value]
        case _:
            return _shorten(str(value))


def _shorten(text: str) -> str:
    """The string; of a long one, the beginning and the end, where exceptions have their cause."""
    if len(text) <= LONGEST_STRING:
        return text
    half = LONGEST_STRING // 2
    return f"{text[:half]} … {text[-half:]}"
