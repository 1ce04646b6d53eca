"""Where a store is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.store import PostgresqlUrl, SqliteDirectory, parse_location


def test_a_path_is_a_directory() -> None:
    assert parse_location("data") == SqliteDirectory(Path("data").absolute())


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url_is_a_database(scheme: str) -> None:
    location = parse_location(f"{scheme}://ann:secret@db:5433/gate")
    assert isinstance(location, PostgresqlUrl)
    assert (location.url.host, location.url.port, location.url.database) == ("db", 5433, "gate")
    assert str(location) == "postgresql://ann:***@db:5433/gate"


@pytest.mark.parametrize("loose", ["mysql://ann:secret@db/gate", "postgresql://ann:secret@db:port/gate"])
def test_anything_else_is_refused_without_repeating_a_password(loose: str) -> None:
    found = parse_location(loose)
    assert isinstance(found, Diagnostic)
    assert found.code == "store-location"
    assert "secret" not in str(found)
