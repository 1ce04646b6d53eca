"""Jinja2 with the console's filters and globals. Values are escaped; undefined names are errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from crossgate.console.api import encode_query
from crossgate.console.assets import asset_url
from crossgate.console.icons import icon
from crossgate.console.import_report import counted_objects, shown_path, shown_value
from crossgate.console.shown import (
    bold_domains,
    code_line,
    mark_domain,
    plain,
    plain_whole,
    shown,
    shown_marked,
    shown_row,
    shown_short,
)

_UNITS: Final = ((86400, "day"), (3600, "h"), (60, "min"))


def as_time(value: object) -> datetime:
    """A time of the API's JSON, in UTC."""
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def ago(value: object, now: datetime | None = None) -> str:
    """How long ago a time is: `12 s`, `4 min`, `3 h`, `2 days`."""
    return duration(((now or datetime.now(UTC)) - as_time(value)).total_seconds())


def duration(seconds: float) -> str:
    """A duration in its largest unit: `12 s`, `4 min`, `3 h`, `2 days`."""
    whole = max(0, int(seconds))
    for size, unit in _UNITS:
        if whole >= size:
            count = whole // size
            return f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"{whole} s"


def clock(value: object) -> str:
    """A time of day, or the date before it if it is not today: `14:31`, `27 Nov, 14:31`; UTC."""
    time = as_time(value).astimezone(UTC)
    return f"{time:%H:%M}" if time.date() == datetime.now(UTC).date() else f"{time.day} {time:%b, %H:%M}"


def figures(value: float) -> str:
    """A number with thousands separated by commas."""
    return f"{value:,.0f}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number and its noun: `1 client`, `1,204 clients`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def sentence(text: str) -> str:
    """A message of the API as a sentence. A name such as `max_age` at its beginning stays as it is."""
    first = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]
    return f"{first}{text[1:]}."


def rule_url(code: str) -> str:
    """The page that explains a rule of the linter."""
    return f"/rules/{quote(code)}"


def api_label(key: str) -> str:
    """An API's key as it is read: `petstore 1.0` of `petstore/1.0`."""
    return key.replace("/", " ", 1)


def environment() -> Environment:
    """A new environment over the package's templates."""
    made = Environment(
        loader=PackageLoader("crossgate.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        origin=shown_short,
        origin_row=shown_row,
        origin_whole=shown,
        plain=plain,
        plain_whole=plain_whole,
        code_line=code_line,
        marked=shown_marked,
        mark_domain=mark_domain,
        bold_domains=bold_domains,
        ago=ago,
        clock=clock,
        duration=duration,
        figures=figures,
        api_label=api_label,
        sentence=sentence,
        property=shown_path,
        value=shown_value,
        counted_objects=counted_objects,
    )
    made.globals.update(
        now=lambda: datetime.now(UTC),
        icon=icon,
        asset=asset_url,
        counted=counted,
        query=encode_query,
        rule_url=rule_url,
    )
    return made


_ENVIRONMENT: Final = environment()


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template with the values."""
    return _ENVIRONMENT.get_template(template).render(values)
