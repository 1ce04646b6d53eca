"""Files that a document names: below its folder only, regular files only, and never shown."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from tests.command import crossgate

from crossgate.catalogue import named_file
from crossgate.catalogue.document import Reading, load_document

SECRET = "hunter2-do-not-print"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    made = tmp_path / "etc"
    made.mkdir()
    return made


def read(folder: Path, name: str) -> Reading:
    document = folder / "gateway.yaml"
    document.write_text(f"settings:\n  watt.server.cors.allowedOrigins: 'file:{name}'\n")
    return load_document(document)


def refusal(folder: Path, name: str) -> str:
    """The message of the only error; the secret is in none of its parts."""
    [found] = read(folder, name).diagnostics
    assert (found.code, found.place.line) == ("server-setting", 2)
    assert SECRET not in str(found)
    return found.message


@pytest.mark.parametrize(
    "name", ["../secret", "/proc/self/environ", "/dev/zero", "a/../../secret", "/etc/passwd"]
)
def test_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    (folder / "a").mkdir()
    assert refusal(folder, name) == "the file is not below the document's folder"


def test_missing_file_outside_the_folder_is_refused_alike(folder: Path) -> None:
    assert refusal(folder, "../absent") == refusal(folder, "../secret")


@pytest.mark.parametrize(
    "target", ["../secret", "/proc/self/environ", "/dev/zero", "/proc/self/root/etc/passwd"]
)
def test_link_that_leads_out_is_refused(folder: Path, target: str) -> None:
    (folder / "origins.txt").symlink_to(target)
    assert refusal(folder, "origins.txt") == "the file is not below the document's folder"
    (folder / "inside").symlink_to("..", target_is_directory=True)
    assert refusal(folder, "inside/secret") == "the file is not below the document's folder"


def test_link_inside_the_folder_is_followed(folder: Path) -> None:
    """As Kubernetes mounts a ConfigMap."""
    (folder / "..2026").mkdir()
    (folder / "..2026" / "origins.txt").write_text("https://a.example\n")
    (folder / "..data").symlink_to("..2026", target_is_directory=True)
    (folder / "origins.txt").symlink_to("..data/origins.txt")
    assert read(folder, "origins.txt").diagnostics == ()
    assert read(folder, str(folder / "origins.txt")).diagnostics == ()


def test_folder_that_is_a_link_is_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "origins.txt").write_text("https://a.example\n")
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert read(tmp_path / "link", "origins.txt").diagnostics == ()


def test_what_is_no_regular_file_is_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    (folder / "directory").mkdir()
    for name in ("pipe", "socket", "directory", "."):
        assert refusal(folder, name) == "this is not a regular file"


@pytest.mark.parametrize("path", ["/proc/self/environ", "/sys/kernel/notes", "/dev/null"])
def test_kernel_files_are_refused_below_the_root_folder(path: str) -> None:
    with pytest.raises(named_file.FileRefused):
        named_file.read_below(Path("/"), Path(path))


def test_part_that_becomes_a_link_meanwhile_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "secret").write_text("https://a.example\n")
    open_before = os.open

    def exchange_then_open(path: str, *arguments: int, **options: int) -> int:
        if path == "inner":
            inner.rename(folder / "moved")
            inner.symlink_to("..", target_is_directory=True)
        return open_before(path, *arguments, **options)

    monkeypatch.setattr(os, "open", exchange_then_open)
    assert "cannot be read" in refusal(folder, "inner/secret")


def test_lines_are_never_shown(folder: Path) -> None:
    lines = [
        "https://a.example",
        SECRET,
        "",
        f"https://user:{SECRET}@b.example",
        f"r:({SECRET}",
        "https://B.example",
    ]
    (folder / "origins.txt").write_text("\n".join(lines * 200))
    read(folder, "origins.txt")
    checked = crossgate("check", folder / "gateway.yaml")
    assert checked.returncode == 2
    output = checked.stdout + checked.stderr
    assert SECRET not in output
    assert "lines 2, 4, 5, 6, 8, 10, 11, 12, 14, 16 and 790 more are not valid as an origin" in output
    assert len(output) < 2_000


def test_binary_file_is_not_shown(folder: Path) -> None:
    (folder / "origins.txt").write_bytes(b"\xffSECRET")
    assert refusal(folder, "origins.txt") == "the file is not UTF-8"
    assert "0xFF" not in str(read(folder, "origins.txt").diagnostics)


def test_large_file_is_refused(folder: Path) -> None:
    with (folder / "origins.txt").open("wb") as file:
        file.truncate(named_file.MAX_BYTES + 1)
    assert "larger than 16 MiB" in refusal(folder, "origins.txt")
    assert sys.getsizeof(refusal(folder, "origins.txt")) < 1_000


def test_systems_without_search_only_descriptors_read_it_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middleware reads documents on macOS, which lacks ``O_PATH``."""
    monkeypatch.delattr(os, "O_PATH")
    (folder / "inner").mkdir()
    (folder / "inner" / "origins.txt").write_text("https://a.example\n")
    assert named_file.read_below(folder, folder / "inner" / "origins.txt") == b"https://a.example\n"
