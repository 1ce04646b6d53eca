import os
import stat
from pathlib import Path

import pytest

from crossgate.dataplane import runtime_dir
from crossgate.diagnostics import InvalidInput


def test_it_is_the_owners_alone_and_goes_away(tmp_path: Path) -> None:
    with runtime_dir.create({"XDG_RUNTIME_DIR": str(tmp_path)}) as directory:
        assert directory.path.parent == tmp_path
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700

    assert list(tmp_path.iterdir()) == []


def test_two_gateways_have_two() -> None:
    with runtime_dir.create() as one, runtime_dir.create() as other:
        assert one.path != other.path


def deep(tmp_path: Path) -> Path:
    path = tmp_path.joinpath(*["deep" * 10] * 4)
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("unsuitable", ["/nowhere", "relative", "/dev/null", ""])
def test_an_unsuitable_place_is_passed_over(unsuitable: str, tmp_path: Path) -> None:
    with runtime_dir.create({"XDG_RUNTIME_DIR": unsuitable, "TMPDIR": str(tmp_path)}) as directory:
        assert directory.path.parent == tmp_path


def test_a_place_that_is_too_deep_is_passed_over(tmp_path: Path) -> None:
    with runtime_dir.create({"XDG_RUNTIME_DIR": str(deep(tmp_path))}) as directory:
        assert len(os.fsencode(directory.admin_socket)) <= runtime_dir.LONGEST_SOCKET_PATH


def test_a_directory_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"at most 107 work"):
        runtime_dir.use(deep(tmp_path))


def test_the_limit_is_the_kernels(tmp_path: Path) -> None:
    import socket

    def path_of(length: int) -> str:
        return str(tmp_path / "x").ljust(length, "x")

    with socket.socket(socket.AF_UNIX) as fits, socket.socket(socket.AF_UNIX) as too_long:
        fits.bind(path_of(runtime_dir.LONGEST_SOCKET_PATH))
        # Python lets the last byte be used too; Envoy and C programs need it for the zero.
        with pytest.raises(OSError, match="too long"):
            too_long.bind(path_of(runtime_dir.LONGEST_SOCKET_PATH + 2))


def test_a_directory_of_ones_own_is_made_and_kept(tmp_path: Path) -> None:
    with runtime_dir.use(tmp_path / "run" / "crossgate") as directory:
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700

    assert directory.path.is_dir()
    with runtime_dir.use(directory.path):
        pass


def test_one_directory_serves_one_gateway(tmp_path: Path) -> None:
    with (
        runtime_dir.use(tmp_path / "run"),
        pytest.raises(InvalidInput, match="is used by a gateway that is running"),
    ):
        runtime_dir.use(tmp_path / "run")


def test_a_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with pytest.raises(InvalidInput, match=rf"entered by other users .*chmod 700 {tmp_path}"):
        runtime_dir.use(tmp_path)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")

    with pytest.raises(InvalidInput, match="can't be made"):
        runtime_dir.use(tmp_path / "run")


def test_a_bootstrap_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with runtime_dir.use(tmp_path / "run") as directory:
        directory.bootstrap_file.mkdir()

        with pytest.raises(InvalidInput, match="can't be written to: Is a directory"):
            directory.write_bootstrap(b"{}")


def test_what_a_killed_gateway_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    dead = tmp_path / "crossgate-deadbeef"
    foreign = tmp_path / "crossgate-foreign1"
    for path in (dead, foreign):
        path.mkdir(mode=0o700)
    (dead / "lock").touch()
    (dead / "admin.sock").touch()

    with runtime_dir.create(environment) as alive, runtime_dir.create(environment) as second:
        assert set(tmp_path.iterdir()) == {foreign, alive.path, second.path}
