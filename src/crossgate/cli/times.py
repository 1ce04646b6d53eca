"""Points in time as people write them: a time ago, a date, or a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput

_AGO: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_since(value: str, option: str) -> str:
    """The time in the notation of the admin API; empty if the value is.

    Raises:
        InvalidInput: it is not a time.

    """
    if not value:
        return ""
    try:
        return _parse(value).isoformat()
    except (ValueError, OverflowError):
        raise InvalidInput(
            [
                Diagnostic(
                    "time-invalid",
                    f"{option} is not a time",
                    "Write a time ago, such as 24h or 7d, a date such as 2026-11-01, or a time such as "
                    "2026-11-01T12:00:00Z; without a zone it is UTC",
                    found=value,
                )
            ]
        ) from None


def _parse(value: str) -> datetime:
    ago = _AGO.fullmatch(value)
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    time = datetime.fromisoformat(value)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
