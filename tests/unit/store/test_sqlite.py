"""Failures of a SQLite file: full disk, lock of another process, newer schema, corruption."""

from __future__ import annotations

import json
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from tests.catalogues import api, catalogue, policy

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi, PutPolicy, ReplaceAll
from crossgate.service.errors import InvalidChange, ServiceError, StoreUnavailable
from crossgate.service.permission import Role
from crossgate.service.tokens import Tokens
from crossgate.store import SqliteDirectory, open_store
from crossgate.store.private_directory import FILE_NAME
from crossgate.store.sqlite import sqlite_engine
from crossgate.store.store import DatabaseStore

BIG = catalogue([api(f"a{number}", policy(f"https://o{number}.example")) for number in range(300)])


@contextmanager
def disposed(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.dispose()


def reason(refusal: ServiceError) -> str:
    (found,) = refusal.diagnostics
    assert found.code == "store-unavailable"
    return found.message


def test_full_database_refuses_a_write_and_recovers(directory: SqliteDirectory) -> None:
    with disposed(sqlite_engine(directory.path)) as engine:

        def limit(connection: sqlite3.Connection, record: object) -> None:
            assert record
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 10}")

        event.listen(engine, "connect", limit)
        service = CatalogueService(DatabaseStore(engine))
        service.change([PutApi(api("pets"))], author="ann")
        with pytest.raises(StoreUnavailable) as refused:
            service.change([ReplaceAll(BIG)], author="ann")
        assert "disk is full" in reason(refused.value)
        assert service.store.head.catalogue.apis.keys() == {"pets/1.0"}
        service.change([PutPolicy("pets/1.0", policy("https://a.example"))], author="ann")
    with open_store(directory) as again:
        assert again.catalogue.head == service.store.head


def test_file_size_limit_refuses_a_write_and_loses_nothing(directory: SqliteDirectory) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_store(directory) as store:
        service = CatalogueService(store.catalogue)
        service.change([PutApi(api("pets"))], author="ann")
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(StoreUnavailable):
                service.change([ReplaceAll(BIG)], author="ann")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        service.change([ReplaceAll(BIG)], author="ann")
        assert store.catalogue.head.revision == 2
    with open_store(directory) as again:
        assert len(again.catalogue.head.catalogue.apis) == 301


def test_lock_of_another_process_times_out(
    directory: SqliteDirectory,
) -> None:
    with disposed(sqlite_engine(directory.path, busy_seconds=0.05)) as engine:
        service = CatalogueService(DatabaseStore(engine))
        with closing(sqlite3.connect(directory.path / FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as refused:
                service.change([PutApi(api("pets"))], author="ann")
            assert "another process" in reason(refused.value)
            assert service.store.refresh().revision == 0
        service.change([PutApi(api("pets"))], author="ann")


def test_files_are_private_and_contain_no_secret(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "data"
    with open_store(SqliteDirectory(directory)) as store:
        secret, _ = Tokens(store.tokens).create("ci", Role.ADMIN)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        for file in directory.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            assert secret.encode() not in file.read_bytes()


def test_newer_schema_is_refused(directory: SqliteDirectory) -> None:
    with closing(sqlite3.connect(directory.path / FILE_NAME)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreUnavailable) as refused, open_store(directory):
        pass
    assert "9999" in reason(refused.value)


def test_file_that_is_not_a_database(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all, and long enough to be read as one" * 100)
    with pytest.raises(StoreUnavailable) as refused, open_store(SqliteDirectory(tmp_path)):
        pass
    assert "not a database" in reason(refused.value)


def test_every_invalid_object_is_reported(directory: SqliteDirectory) -> None:
    with open_store(directory) as store:
        CatalogueService(store.catalogue).change([PutApi(api("pets")), PutApi(api("shop"))], author="ann")
    with closing(sqlite3.connect(directory.path / FILE_NAME)) as connection:
        connection.execute("UPDATE object_versions SET body = ?", [json.dumps({"name": "x", "new": 1})])
        connection.commit()
    with pytest.raises(InvalidChange) as refused, open_store(directory):
        pass
    places = {one.place.json_path for one in refused.value.diagnostics if one.code == "unknown-key"}
    assert places == {"$.apis['pets/1.0'].new", "$.apis['shop/1.0'].new"}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("body", '{"name": ', "the stored api pets/1.0 is corrupt"),
        ("body", "{} {}", "the stored api pets/1.0 is corrupt"),
        ("body", "[]", "the stored api pets/1.0 is corrupt"),
        ("body", "null", "the stored api pets/1.0 is corrupt"),
        ("body", b"\xff\x00", "the stored api pets/1.0 is corrupt"),
        ("body", "[" * 100_000, "the stored api pets/1.0 is corrupt"),
        ("kind", "portal", "unknown object kind portal (pets/1.0)"),
    ],
)
def test_corrupt_rows_are_reported(
    directory: SqliteDirectory, column: str, value: object, message: str
) -> None:
    with open_store(directory) as store:
        CatalogueService(store.catalogue).change([PutApi(api("pets"))], author="ann")
    with closing(sqlite3.connect(directory.path / FILE_NAME)) as connection:
        connection.execute(f"UPDATE object_versions SET {column} = ?", [value])  # noqa: S608 - a parameter of the test
        connection.commit()
    with pytest.raises(StoreUnavailable) as refused, open_store(directory):
        pass
    assert message in reason(refused.value)


def test_restored_backup_is_loaded_again(directory: SqliteDirectory) -> None:
    with open_store(directory) as store:
        service = CatalogueService(store.catalogue)
        service.change([PutApi(api("pets"))], author="ann")
        with closing(sqlite3.connect(":memory:")) as backup:
            with closing(sqlite3.connect(directory.path / FILE_NAME)) as live:
                live.backup(backup)
            service.change([PutApi(api("shop"))], author="ann")
            with closing(sqlite3.connect(directory.path / FILE_NAME)) as live:
                backup.backup(live)
        assert store.catalogue.refresh().catalogue.apis.keys() == {"pets/1.0"}
