"""Where a store is, as options and the environment say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossgate.diagnostics import Diagnostic, InvalidInput

if TYPE_CHECKING:
    from crossgate.store import StoreLocation


def store_location(data: Path | None, database: str) -> StoreLocation:
    """The directory or the database; by default the directory that is this user's.

    Raises:
        InvalidInput: both are named, or one that cannot be.

    """
    from crossgate.app.sources import default_data_directory
    from crossgate.store import SqliteDirectory, parse_location

    if data is not None and database:
        raise InvalidInput(
            [
                Diagnostic(
                    "option-conflict",
                    "--data and --database name two stores",
                    "Leave one of them out; --database also comes from CROSSGATE_DATABASE",
                )
            ]
        )
    if data is not None:
        return SqliteDirectory(data.absolute())
    if not database:
        return default_data_directory()
    parsed = parse_location(database)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return parsed
