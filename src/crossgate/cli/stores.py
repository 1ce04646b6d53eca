"""The store that ``--data`` and ``--database`` name."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.store import SqliteDirectory, StoreLocation, parse_location
from crossgate.store.private_directory import FILE_NAME

_DATABASE_URL: Final = "database-url"


def store_location(data: Path | None, database: str) -> StoreLocation:
    """The directory or the database; without either, systemd's credential, else the user's own directory.

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
    database = database or _credential(_DATABASE_URL)
    if not database:
        return _default_directory()
    parsed = parse_location(database)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return parsed


def existing_store(data: Path | None, database: str) -> StoreLocation:
    """The store of a gateway, as :func:`store_location`. One made by a command would be read by no gateway.

    Raises:
        InvalidInput: as there; or the directory has no store.

    """
    location = store_location(data, database)
    if isinstance(location, SqliteDirectory) and not (location.path / FILE_NAME).exists():
        raise InvalidInput(
            [
                Diagnostic(
                    "store-missing",
                    "store not found",
                    "Give --data the directory of the running gateway",
                    found=str(location.path),
                )
            ]
        )
    return location


def _credential(name: str) -> str:
    """A secret that systemd passes to the service as a file (systemd.exec(5), LoadCredential=)."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory.startswith("/"):
        return ""
    with suppress(FileNotFoundError):
        return Path(directory, name).read_text(encoding="utf-8").strip()
    return ""


def _default_directory() -> SqliteDirectory:
    """``crossgate`` in the user's data directory (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return SqliteDirectory(home / "crossgate")
