"""Times in requests: RFC 3339, as the schema's ``date-time`` says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator

_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?", re.IGNORECASE)


def _refuse_number(raw: object) -> object:
    """Pydantic takes a number for seconds since 1970; the schema does not."""
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        raise ValueError("a time such as 2026-01-31T12:00:00Z is expected")
    return raw


RequestTime = Annotated[datetime, BeforeValidator(_refuse_number)]
"""A time in a query."""


def as_utc(time: datetime | None) -> datetime | None:
    """A time from a request; without a time zone it is UTC."""
    if time is None:
        return None
    return min(time.replace(tzinfo=UTC) if time.tzinfo is None else time, _LATEST).astimezone(UTC)
