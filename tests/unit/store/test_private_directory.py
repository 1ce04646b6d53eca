"""Owner, permissions and symbolic links of the SQLite directory and its files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crossgate.service.errors import StoreUnavailable
from crossgate.store import SqliteDirectory, directory_lock, open_store

FILES = ("catalogue.sqlite3", "catalogue.sqlite3-wal", "catalogue.sqlite3-shm", "control-plane.lock")
OTHER_USER = 4711


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with a store."""
    directory = tmp_path / "data"
    start(directory)
    return directory


def start(directory: Path) -> None:
    """Open the store as `crossgate run` does."""
    location = SqliteDirectory(directory)
    with directory_lock(location), open_store(location):
        modes = {file.name: mode_of(file) for file in directory.iterdir()}
    assert mode_of(directory) & 0o022 == 0
    assert set(modes.values()) == {0o600}, modes


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refusal(directory: Path) -> str:
    """The message of the refusal, the same with and without the lock."""
    location = SqliteDirectory(directory)
    with pytest.raises(StoreUnavailable) as locked, directory_lock(location):
        pass
    with pytest.raises(StoreUnavailable) as opened, open_store(location):
        pass
    assert str(locked.value) == str(opened.value)
    return str(opened.value)


def test_new_directory_is_private(data: Path) -> None:
    assert mode_of(data) == 0o700


@pytest.mark.parametrize("mode", [0o700, 0o750])
def test_permissions_that_postgresql_accepts(data: Path, mode: int) -> None:
    data.chmod(mode)
    start(data)
    assert mode_of(data) == mode


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702, 0o1777])
def test_directory_that_others_may_write_to_is_refused(data: Path, mode: int) -> None:
    data.chmod(mode)
    assert f"mode {mode:04o}" in refusal(data)


def test_store_that_others_may_read_is_reported_and_opened(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data.chmod(0o755)
    start(data)
    [line] = [one for one in caplog.records if one.name == "crossgate.store"]
    assert line.levelname == "WARNING"
    assert "chmod 700" in line.getMessage()


def test_empty_directory_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    start(tmp_path / "data")
    assert mode_of(tmp_path / "data") == 0o700


def test_new_store_in_a_directory_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data" / "other-file").touch()
    assert "mode 0755" in refusal(tmp_path / "data")
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["other-file"]


@pytest.mark.parametrize("name", FILES)
def test_symbolic_link_in_place_of_a_file_is_refused(tmp_path: Path, data: Path, name: str) -> None:
    target = tmp_path / "victim"
    target.write_text("kept")
    (data / name).unlink(missing_ok=True)
    (data / name).symlink_to(target)
    assert f"{name} is not a regular file, but a symbolic link" in refusal(data)
    assert target.read_text() == "kept"


def test_dangling_symbolic_link_creates_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "catalogue.sqlite3").symlink_to(tmp_path / "victim")
    assert "a symbolic link" in refusal(data)
    assert not (tmp_path / "victim").exists()


def test_directory_may_be_a_symbolic_link(tmp_path: Path, data: Path) -> None:
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    start(tmp_path / "link")


@pytest.mark.parametrize("name", FILES)
def test_pipe_in_place_of_a_file_is_refused(data: Path, name: str) -> None:
    (data / name).unlink(missing_ok=True)
    os.mkfifo(data / name)
    assert "is not a regular file" in refusal(data)


def test_permissions_of_a_restored_file_are_corrected(data: Path) -> None:
    (data / "catalogue.sqlite3").chmod(0o644)
    start(data)


@pytest.mark.parametrize(("own", "name"), [(0, "data"), (1, "catalogue.sqlite3"), (2, "control-plane.lock")])
def test_directory_and_files_of_another_user_are_refused(
    data: Path, own: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ``own`` of directory and files belong to this user, the next one does not."""
    users = iter([os.geteuid()] * own + [OTHER_USER] * 2)
    monkeypatch.setattr(os, "geteuid", lambda: next(users))
    with pytest.raises(StoreUnavailable) as refused, open_store(SqliteDirectory(data)):
        pass
    monkeypatch.undo()
    assert f"{name} belongs to user " in str(refused.value)
    assert f"not to this user {OTHER_USER}" in str(refused.value)
