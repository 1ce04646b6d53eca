"""Documents on disk: unreadable files, and files that a document names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crossgate.catalogue.document import load_document
from crossgate.catalogue.named_file import MAX_BYTES
from crossgate.catalogue.telemetry import AccessLog
from crossgate.diagnostics import Diagnostic


def _only(path: Path) -> Diagnostic:
    reading = load_document(path)
    assert reading.catalogue is None
    (found,) = reading.diagnostics
    assert found.place.file == str(path)
    return found


def test_a_missing_file(tmp_path: Path) -> None:
    found = _only(tmp_path / "gateway.yaml")
    assert (found.code, found.message) == ("file-unreadable", "file not found")


def test_a_directory(tmp_path: Path) -> None:
    assert _only(tmp_path).message == "this is a directory, not a file"


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _only(tmp_path / "file" / "gateway.yaml").code == "file-unreadable"


def test_an_invalid_path() -> None:
    assert _only(Path("a\0b")).code == "file-unreadable"


@pytest.fixture
def somebody() -> Iterator[None]:
    """Run as an unprivileged user: root can read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_no_permission(tmp_path: Path, somebody: None) -> None:
    del somebody
    path = tmp_path / "gateway.yaml"
    with suppress(PermissionError):
        path.touch(mode=0o000)
    assert _only(path).message == "permission to read the file denied"


def test_a_file_of_50_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    assert _only(path).code == "file-size"


def test_a_file_without_end() -> None:
    assert _only(Path("/dev/zero")).code == "file-size"


def test_the_largest_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("apis: []\n" + "#" * (MAX_BYTES - len("apis: []\n")))
    assert load_document(path).catalogue is not None


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes("# é\n# é".encode() + b"\xff\n")
    found = _only(path)
    assert (found.code, found.found) == ("file-encoding", "byte 0xFF")
    assert (found.place.line, found.place.column) == (2, 4)


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes(b"\xef\xbb\xbfapis: []\n")
    assert load_document(path).catalogue is not None


def test_paths_are_relative_to_the_folder_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "origins.txt").write_text("https://a.example\n\nr:https://b-[0-9]+\\.example\n")
    (tmp_path / "etc" / "gateway.yaml").write_text(
        """\
gateway:
  tls: {certificate: cert.pem, key: /other/key.pem}
  native_ca: ca/roots.pem
  access_log: {file: logs/access.log}
  public_origins: [https://gateway.example]
settings:
  watt.server.cors.enabled: true
  watt.server.cors.allowedOrigins: file:origins.txt
"""
    )
    monkeypatch.chdir(tmp_path)
    reading = load_document("etc/gateway.yaml")
    assert [seen.path for seen in reading.files] == [
        Path("etc/gateway.yaml"),
        tmp_path / "etc" / "origins.txt",
    ]
    catalogue = reading.catalogue
    assert catalogue is not None
    [tls] = catalogue.gateway.tls
    assert tls.certificate == str(tmp_path / "etc" / "cert.pem")
    assert tls.key == "/other/key.pem"
    assert catalogue.gateway.native_ca == str(tmp_path / "etc" / "ca" / "roots.pem")
    assert catalogue.gateway.access_log == AccessLog(str(tmp_path / "etc" / "logs" / "access.log"))
    policy = catalogue.server_policy
    assert policy is not None
    assert "https://a.example" in policy.origins
    assert "https://b-7.example" in policy.origins
    assert policy.public_origins == {"https://gateway.example"}


def test_a_missing_file_of_origins_is_an_error_of_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("settings:\n  watt.server.cors.allowedOrigins: file:origins.txt\n")
    found = _only(path)
    assert (found.place.line, found.place.column, found.message) == (2, 36, "file not found")
    before = load_document(path).files
    (tmp_path / "origins.txt").write_text("https://a.example\n")
    document, origins = load_document(path).files
    assert before[0] == document
    assert before[1] != origins
