"""Backups: consistent while others write, private, and never written over; and the page's own commands."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.catalogues import api
from tests.command import ENVIRONMENT, ROOT, crossgate
from tests.executable_docs import Command, steps
from tests.postgresql import Server
from tests.prerequisites import postgresql_bin

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.service.errors import ServiceError, StoreUnavailable
from crossgate.service.permission import Role
from crossgate.service.tokens import Tokens
from crossgate.store import PostgresqlUrl, SqliteDirectory, StoreLocation, open_store
from crossgate.store.backup import back_up
from crossgate.store.private_directory import FILE_NAME

_PAGE = ROOT / "docs" / "how-to" / "back-up-and-restore.md"


def put(location: StoreLocation, *names: str) -> None:
    with open_store(location) as store:
        service = CatalogueService(store.catalogue)
        for name in names:
            service.change([PutApi(api(name))], author="ann")


def keys(location: StoreLocation) -> tuple[int, set[str]]:
    with open_store(location) as store:
        head = store.catalogue.head
        return head.revision, set(head.catalogue.apis)


def test_a_backup_has_one_state_while_others_write(directory: SqliteDirectory, tmp_path: Path) -> None:
    put(directory, "pets")
    stop = threading.Event()
    with open_store(directory) as store:
        service = CatalogueService(store.catalogue)

        def write() -> None:
            while not stop.is_set():
                # Both or none: a state between them exists in no revision.
                names = "one", "two"
                service.change(
                    [PutApi(api(f"{name}-{service.store.head.revision}")) for name in names], author="a"
                )

        writer = threading.Thread(target=write)
        writer.start()
        try:
            made = [back_up(directory, tmp_path / f"{number}.sqlite3") for number in range(5)]
        finally:
            stop.set()
            writer.join()
    for number, revision in enumerate(made):
        copy = SqliteDirectory(tmp_path / f"restored-{number}")
        copy.path.mkdir(mode=0o700)
        (tmp_path / f"{number}.sqlite3").rename(copy.path / FILE_NAME)
        restored, apis = keys(copy)
        assert restored == revision
        assert len(apis) == 1 + 2 * (revision - 1)
        assert {name.replace("one-", "two-") for name in apis if "one-" in name} == {
            name for name in apis if "two-" in name
        }


def test_a_backup_is_private_and_never_written_over(directory: SqliteDirectory, tmp_path: Path) -> None:
    put(directory, "pets")
    file = tmp_path / "backup.sqlite3"
    assert back_up(directory, file) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    with pytest.raises(ServiceError) as refused:
        back_up(directory, file)
    (found,) = refused.value.diagnostics
    assert found.code == "backup-file-unusable"
    assert found.message == "cannot create the backup: File exists"
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", ["file:backup?mode=ro", ":memory:"])
def test_a_name_with_a_meaning_to_sqlite_is_that_of_a_file(
    directory: SqliteDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put(directory, "pets")
    assert back_up(directory, Path(name)) == 1
    assert Path(name).stat().st_size > 0


def test_a_backup_of_a_corrupt_store_is_an_error_and_leaves_no_file(
    directory: SqliteDirectory, tmp_path: Path
) -> None:
    put(directory, *(f"pets-{number}" for number in range(50)))
    with closing(sqlite3.connect(directory.path / FILE_NAME)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (directory.path / FILE_NAME).open("r+b") as broken:
        broken.seek(4096)
        broken.write(b"\xff" * 16384)
    with pytest.raises(StoreUnavailable, match="corrupt"):
        back_up(directory, tmp_path / "backup.sqlite3")
    assert not (tmp_path / "backup.sqlite3").exists()


def test_the_command_says_what_is_wrong(directory: SqliteDirectory, tmp_path: Path) -> None:
    missing = crossgate("store", "backup", "b", "--data", tmp_path / "none", cwd=tmp_path)
    assert missing.returncode == 2
    assert "store not found" in missing.stderr
    assert not (tmp_path / "none").exists()
    there = crossgate("store", "backup", "none/b", "--data", directory.path, cwd=tmp_path)
    assert there.returncode == 2
    assert there.stderr.startswith(
        "error: cannot create the backup: No such file or directory (found none/b)"
    )
    made = crossgate("store", "backup", "b", "--data", directory.path, "--json", cwd=tmp_path)
    assert json.loads(made.stdout) == {"file": "b", "revision": 0}


def run(step: Command, folder: Path, **more: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), more.pop("path", ""), os.environ["PATH"]])
    environment = {**ENVIRONMENT, "PATH": path, **more}
    ran = subprocess.run(
        ["sh", "-c", step.line], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )
    assert ran.returncode == 0, f"{step.line}\n{ran.stderr}"
    assert step.matches(ran.stdout), f"{step.line}\n{ran.stdout}"


def commands(*programs: str) -> list[Command]:
    """The commands of the page that begin so; a command of neither kind is an error."""
    found = [step for step in steps(_PAGE) if isinstance(step, Command)]
    assert len(found) == 6
    return [one for one in found if one.line.startswith(programs)]


def test_the_commands_of_the_page_restore_an_sqlite_store(tmp_path: Path) -> None:
    location = SqliteDirectory(tmp_path / "gateway-data")
    put(location, "pets", "shop")
    with open_store(location) as running:
        Tokens(running.tokens).create("ci", Role.EDITOR)
        back, *restore = commands("crossgate", "mkdir", "mv", "install")
        run(back, tmp_path)
        CatalogueService(running.catalogue).change([PutApi(api("later"))], author="ann")
    for step in restore:
        run(step, tmp_path)
    assert keys(location) == (2, {"pets/1.0", "shop/1.0"})
    with open_store(location) as restored:
        assert [one.name for one in Tokens(restored.tokens).all()] == ["ci"]


def test_the_commands_of_the_page_restore_a_postgresql_store(
    database: PostgresqlUrl, server: Server, tmp_path: Path
) -> None:
    put(database, "pets", "shop")
    more = {"path": str(postgresql_bin()), "CROSSGATE_DATABASE": server.url(str(database.url.database))}
    dump, restore = commands("pg_")
    run(dump, tmp_path, **more)
    put(database, "later")
    run(restore, tmp_path, **more)
    assert keys(database) == (2, {"pets/1.0", "shop/1.0"})
    put(database, "again")
    assert keys(database)[0] == 3
