"""The default address of `crossgate serve`, and who may connect to it."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from pathlib import Path

import pytest

from crossgate.app.control_plane_socket import default_control_plane_socket
from crossgate.diagnostics import InvalidInput
from crossgate.net.address import SocketMode, UnixSocket
from crossgate.xds.server import ControlPlane


def test_systemd_names_the_directory_of_the_service(tmp_path: Path) -> None:
    environment = {"RUNTIME_DIRECTORY": f"{tmp_path}:/run/other", "XDG_RUNTIME_DIR": "/run/user/1"}
    assert default_control_plane_socket(environment) == UnixSocket(tmp_path / "xds.sock")


def test_a_user_has_a_private_directory_in_the_one_of_the_session(tmp_path: Path) -> None:
    for _ in range(2):
        found = default_control_plane_socket({"XDG_RUNTIME_DIR": str(tmp_path)})
        assert found == UnixSocket(tmp_path / "crossgate" / "xds.sock")
    assert stat.S_IMODE((tmp_path / "crossgate").stat().st_mode) == 0o700


def test_without_a_session_the_directory_is_named_after_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory = tmp_path / f"crossgate-{os.geteuid()}"
    assert default_control_plane_socket({}) == UnixSocket(directory / "xds.sock")


@pytest.mark.parametrize("taken", ["file", "link", "writable"])
def test_a_directory_that_others_may_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory = tmp_path / f"crossgate-{os.geteuid()}"
    match taken:
        case "file":
            directory.write_bytes(b"")
        case "link":
            directory.symlink_to(tmp_path)
        case _:
            directory.mkdir()
            directory.chmod(0o777)
    with pytest.raises(InvalidInput) as refused:
        default_control_plane_socket({})
    (found,) = refused.value.diagnostics
    assert (found.code, found.found) == ("xds-directory-unusable", str(directory))


def test_a_path_that_is_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        default_control_plane_socket({"RUNTIME_DIRECTORY": f"{tmp_path}/{'d' * 100}"})
    assert [one.code for one in refused.value.diagnostics] == ["xds-directory-unusable"]


@pytest.mark.parametrize("mode", SocketMode)
def test_the_socket_has_the_mode_of_the_option(tmp_path: Path, mode: SocketMode) -> None:
    async def listen() -> int:
        control_plane = ControlPlane(UnixSocket(tmp_path / "xds.sock"), socket_mode=mode)
        control_plane.listen()
        found = (tmp_path / "xds.sock").stat().st_mode
        await control_plane.stop()
        return stat.S_IMODE(found)

    assert asyncio.run(listen()) == mode.bits
