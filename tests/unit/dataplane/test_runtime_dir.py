import os
import socket
import stat
from pathlib import Path

import pytest

from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.diagnostics import InvalidInput
from crossgate.net.address import MAX_SOCKET_PATH


def test_only_its_owner_may_enter_it_and_closing_removes_it(tmp_path: Path) -> None:
    with create_runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}) as directory:
        assert directory.path.parent == tmp_path
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700

    assert list(tmp_path.iterdir()) == []


def test_two_gateways_have_two() -> None:
    with create_runtime_directory() as one, create_runtime_directory() as other:
        assert one.path != other.path


def deep(tmp_path: Path) -> Path:
    path = tmp_path.joinpath(*["deep" * 10] * 4)
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("unsuitable", ["/nowhere", "relative", "/dev/null", ""])
def test_an_unsuitable_place_is_skipped(unsuitable: str, tmp_path: Path) -> None:
    with create_runtime_directory({"XDG_RUNTIME_DIR": unsuitable, "TMPDIR": str(tmp_path)}) as directory:
        assert directory.path.parent == tmp_path


def test_a_place_that_is_too_deep_is_skipped(tmp_path: Path) -> None:
    with create_runtime_directory({"XDG_RUNTIME_DIR": str(deep(tmp_path))}) as directory:
        assert len(os.fsencode(directory.admin_socket)) <= MAX_SOCKET_PATH


def test_each_unsuitable_place_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", _refuse)
    environment = {"XDG_RUNTIME_DIR": str(deep(tmp_path)), "TMPDIR": "/nowhere"}
    with pytest.raises(InvalidInput) as refused:
        create_runtime_directory(environment)

    messages = [diagnostic.message for diagnostic in refused.value.diagnostics]
    assert "the limit is 107" in messages[0]
    assert messages[1:] == [
        "the runtime directory is not a directory",
        "the runtime directory is not writable: Read-only file system",
    ]


def _refuse(**_: object) -> str:
    raise OSError(30, "Read-only file system")


def test_the_limit_is_the_kernels(tmp_path: Path) -> None:
    def path_of(length: int) -> str:
        return str(tmp_path / "x").ljust(length, "x")

    with socket.socket(socket.AF_UNIX) as fits, socket.socket(socket.AF_UNIX) as too_long:
        fits.bind(path_of(MAX_SOCKET_PATH))
        # Python allows the last byte, too; Envoy and C programs need it for the zero.
        with pytest.raises(OSError, match="too long"):
            too_long.bind(path_of(MAX_SOCKET_PATH + 2))


def test_a_bootstrap_that_cannot_be_written_is_reported() -> None:
    with create_runtime_directory() as directory:
        directory.bootstrap_file.mkdir()

        with pytest.raises(InvalidInput, match="is not writable: Is a directory"):
            directory.write_bootstrap(b"{}")


def test_directories_of_killed_gateways_are_removed_and_nothing_else(tmp_path: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    dead = tmp_path / "crossgate-deadbeef"
    foreign = tmp_path / "crossgate-foreign1"
    for path in (dead, foreign):
        path.mkdir(mode=0o700)
    (dead / "lock").touch()
    (dead / "admin.sock").touch()

    with create_runtime_directory(environment) as alive, create_runtime_directory(environment) as second:
        assert set(tmp_path.iterdir()) == {foreign, alive.path, second.path}
