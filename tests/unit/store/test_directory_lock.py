"""The directory lock: one control plane for a SQLite directory, any number for PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.service.errors import StoreUnavailable
from crossgate.store import PostgresqlUrl, SqliteDirectory, directory_lock, open_store, parse_location


def test_second_control_plane_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    directory = SqliteDirectory(tmp_path / "data")
    with directory_lock(directory):
        with pytest.raises(StoreUnavailable) as refused, directory_lock(directory):
            pass
        assert "another control plane" in str(refused.value)
        with open_store(directory):
            pass
    with directory_lock(directory):
        pass


def test_postgresql_needs_no_lock() -> None:
    location = parse_location("postgresql:///none")
    assert isinstance(location, PostgresqlUrl)
    with directory_lock(location), directory_lock(location):
        pass


@pytest.mark.parametrize("inside", ["", "below"])
def test_path_that_is_not_a_directory(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "file"
    file.touch()
    directory = SqliteDirectory(file / inside)
    with pytest.raises(StoreUnavailable), directory_lock(directory):
        pass
    with pytest.raises(StoreUnavailable), open_store(directory):
        pass
