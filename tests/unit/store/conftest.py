"""Fixtures: the same tests run on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text
from tests.postgresql import Server, running_server

from crossgate.service.catalogue_service import CatalogueService
from crossgate.store import PostgresqlUrl, SqliteDirectory, Store, StoreLocation, open_store, parse_location
from crossgate.store.migrate import migrate
from crossgate.store.open import engine_for
from crossgate.store.private_directory import FILE_NAME
from crossgate.store.tables import head, metadata


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def migrated_database(server: Server) -> PostgresqlUrl:
    location = postgresql(server, server.new_database())
    with closing(engine_for(location)) as engine:
        migrate(engine)
    return location


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("migrated")
    with closing(engine_for(SqliteDirectory(directory))) as engine:
        migrate(engine)
    return directory / FILE_NAME


@pytest.fixture
def database(migrated_database: PostgresqlUrl) -> PostgresqlUrl:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with closing(engine_for(migrated_database)) as engine, engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))
        connection.execute(insert(head).values(id=1, revision=0))
    return migrated_database


@pytest.fixture
def directory(tmp_path: Path, migrated_file: Path) -> SqliteDirectory:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data")
    return SqliteDirectory(tmp_path / "data")


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest) -> StoreLocation:
    name = "directory" if request.param == "sqlite" else "database"
    found: StoreLocation = request.getfixturevalue(name)
    return found


def postgresql(server: Server, name: str) -> PostgresqlUrl:
    location = parse_location(server.url(name))
    assert isinstance(location, PostgresqlUrl)
    return location


@contextmanager
def closing(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.dispose()


@pytest.fixture
def store(location: StoreLocation) -> Iterator[Store]:
    with open_store(location) as opened:
        yield opened


@pytest.fixture
def service(store: Store) -> CatalogueService:
    return CatalogueService(store.catalogue)
