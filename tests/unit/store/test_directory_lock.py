"""One control plane for one SQLite directory, any number for one PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossgate.service.errors import StoreUnavailable
from crossgate.store import PostgresqlUrl, SqliteDirectory, directory_lock, open_store, parse_location


def test_a_second_control_plane_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    directory = SqliteDirectory(tmp_path / "data")
    with directory_lock(directory):
        with pytest.raises(StoreUnavailable) as refused, directory_lock(directory):
            pass
        assert "another control plane" in str(refused.value)
        with open_store(directory):
            pass
    with directory_lock(directory):
        pass


def test_a_database_server_takes_several() -> None:
    location = parse_location("postgresql:///none")
    assert isinstance(location, PostgresqlUrl)
    with directory_lock(location), directory_lock(location):
        pass


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_place_that_is_no_directory_is_said_so(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "file"
    file.touch()
    directory = SqliteDirectory(file / inside)
    with pytest.raises(StoreUnavailable), directory_lock(directory):
        pass
    with pytest.raises(StoreUnavailable), open_store(directory):
        pass
