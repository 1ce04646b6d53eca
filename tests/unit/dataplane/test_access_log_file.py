"""What Envoy can append an access log to."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from crossgate.catalogue.model import Gateway
from crossgate.catalogue.telemetry import AccessLog
from crossgate.dataplane.access_log_file import check_access_log
from crossgate.dataplane.gateway_files import check_gateway_files
from crossgate.diagnostics import Place


def reasons(path: object) -> list[str]:
    found = check_access_log(AccessLog(str(path)), Place(("gateway", "access_log")))
    assert all(one.place.path == ("gateway", "access_log", "file") for one in found)
    return [one.message.removeprefix("cannot write the access log: ") for one in found]


def test_a_regular_file_and_one_that_does_not_exist_yet(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text("{}\n")
    (tmp_path / "link.log").symlink_to("old.log")
    for name in ("old.log", "link.log", "new.log"):
        assert reasons(tmp_path / name) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.log", "old.log"]


def test_nothing_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "pipe-link.log").symlink_to("pipe.log")
    (tmp_path / "dangling.log").symlink_to("nowhere.log")
    (tmp_path / "folder.log").mkdir()
    (tmp_path / "null.log").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.log"))
    pipe = "it is a pipe, which stalls Envoy when its reader does"
    assert {name: reasons(tmp_path / f"{name}.log") for name in
            ("pipe", "pipe-link", "folder", "null", "socket", "dangling", "none/a")} == {
        "pipe": [pipe],
        "pipe-link": [pipe],
        "folder": ["it is a directory"],
        "null": ["it is a device"],
        "socket": ["it is a socket"],
        "dangling": ["it is a link to a file that does not exist"],
        "none/a": [f"the directory {tmp_path}/none does not exist"],
    }  # fmt: skip
    assert reasons("a\0b.log") == ["embedded null byte"]


def test_a_file_that_the_user_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.log").touch()
    # The tests may run as root, who may write everything.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert reasons(tmp_path / "old.log") == ["permission denied"]
    assert reasons(tmp_path / "new.log") == [f"no file can be created in {tmp_path}"]


def test_check_looks_at_it(tmp_path: Path) -> None:
    [found] = check_gateway_files(Gateway(access_log=AccessLog(str(tmp_path))))
    assert (found.code, found.place.path) == ("access-log-unusable", ("gateway", "access_log", "file"))
