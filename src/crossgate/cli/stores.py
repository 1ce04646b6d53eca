"""The store that ``--data`` and ``--database`` name."""

from __future__ import annotations

import os
from pathlib import Path

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.store import SqliteDirectory, StoreLocation, parse_location


def store_location(data: Path | None, database: str) -> StoreLocation:
    """The directory or the database; without either, the user's own directory.

    Raises:
        InvalidInput: both are given, or the database's URL is invalid.

    """
    if data is not None and database:
        raise InvalidInput(
            [
                Diagnostic(
                    "option-conflict",
                    "--data and --database cannot be combined",
                    "Omit one of them, and unset CROSSGATE_DATABASE if --data is meant",
                )
            ]
        )
    if data is not None:
        return SqliteDirectory(data.absolute())
    if not database:
        return _default_directory()
    parsed = parse_location(database)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return parsed


def _default_directory() -> SqliteDirectory:
    """``crossgate`` in the user's data directory (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return SqliteDirectory(home / "crossgate")
