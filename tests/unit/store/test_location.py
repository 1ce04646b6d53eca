"""Parsing the location of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.store import PostgresqlUrl, SqliteDirectory, parse_location


def test_path_is_a_directory() -> None:
    assert parse_location("data") == SqliteDirectory(Path("data").absolute())


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_url_is_a_postgresql_database(scheme: str) -> None:
    location = parse_location(f"{scheme}://ann:secret@db:5433/gate")
    assert isinstance(location, PostgresqlUrl)
    assert (location.url.host, location.url.port, location.url.database) == ("db", 5433, "gate")
    assert str(location) == "postgresql://ann:***@db:5433/gate"


@pytest.mark.parametrize("raw", ["mysql://ann:secret@db/gate", "postgresql://ann:secret@db:port/gate"])
def test_invalid_location_is_reported_without_the_password(raw: str) -> None:
    found = parse_location(raw)
    assert isinstance(found, Diagnostic)
    assert found.code == "store-location"
    assert "secret" not in str(found)
