"""Stores in SQLite and PostgreSQL, and a PostgreSQL server for the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgresql import Server, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The options of ``crossgate run`` for the store."""
    if request.param == "sqlite":
        return "--data", str(tmp_path / "data")
    server: Server = request.getfixturevalue("server")
    return "--database", server.url(server.new_database())
