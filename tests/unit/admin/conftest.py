"""The admin API over a real SQLite store, new for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.admin_api import AdminApi, running_admin_api

from crossgate.store import SqliteDirectory, Store, open_store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("migrated") / "data"
    with open_store(SqliteDirectory(directory)):
        pass
    return directory


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    shutil.copytree(migrated, tmp_path / "data")
    with open_store(SqliteDirectory(tmp_path / "data")) as opened:
        yield opened


@pytest.fixture
def api(store: Store) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens) as running:
        yield running
