"""What is wrong with the files of a certificate, a key and authorities."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.certificates import every_pair, good_pair

from crossgate.catalogue.model import Gateway, Tls
from crossgate.dataplane.gateway_files import check_authorities, check_gateway_files, check_tls
from crossgate.diagnostics import Place, Severity

PLACE = Place(("gateway", "tls"), "gateway.yaml", 3, 3)


@pytest.mark.parametrize("name", every_pair())
def test_each_state_of_the_files_has_its_code(name: str, tmp_path: Path) -> None:
    pair, codes = every_pair()[name]
    certificate, key = pair.write(tmp_path)
    found = check_tls(Tls(str(certificate), str(key)), PLACE)
    assert {one.code for one in found} == codes
    for one in found:
        at_key = "key" in one.code or name == "an empty key"
        assert one.place.path == ("gateway", "tls", "key" if at_key else "certificate")
        assert one.found == str(key if at_key else certificate)
        served = one.code in ("tls-certificate-expired", "tls-certificate-not-valid-yet")
        assert one.severity is (Severity.WARNING if served else Severity.ERROR)


def test_both_files_are_reported_at_once(tmp_path: Path) -> None:
    found = check_tls(Tls(str(tmp_path / "a.pem"), str(tmp_path / "a.key")), PLACE)
    assert [one.place.path[-1] for one in found] == ["certificate", "key"]
    assert {one.message for one in found} == {"cannot read the file: No such file or directory"}


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as large:
        large.truncate((8 << 20) + 1)
    for path, reason in (
        (tmp_path / "pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        (tmp_path, "it is a directory"),
        (tmp_path / "large", "it has more than 8 MiB"),
        ("a\0b", "the path contains a null character"),
    ):
        [found] = check_authorities(str(path), Place())
        assert found.message == f"cannot read the file: {reason}"


def test_no_message_contains_what_a_file_contains(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2:x:0:0\n", encoding="utf-8")
    gateway = Gateway(tls=(Tls(str(secret), str(secret)),), native_ca=str(secret))
    found = check_gateway_files(gateway)
    assert [one.place.path[1:] for one in found] == [("tls", "certificate"), ("tls", "key"), ("native_ca",)]
    assert not any("hunter2" in str(one) for one in found)


def test_the_remedy_names_what_the_file_contains_instead(tmp_path: Path) -> None:
    def remedies(name: str) -> list[str]:
        certificate, key = every_pair()[name][0].write(tmp_path / name)
        return [one.remedy for one in check_tls(Tls(str(certificate), str(key)), PLACE)]

    assert remedies("exchanged files") == [
        "Write the path of the certificate; this file contains a private key",
        "Write the path of the private key; this file contains a certificate",
    ]
    assert remedies("a chain in the wrong order") == [
        "Put certificate 2 first in its file; those that signed it follow"
    ]
    assert "openssl x509 -inform der" in remedies("DER")[0]


def test_authorities(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(good_pair().certificate * 2)
    assert check_authorities(str(bundle), Place(("gateway",))) == []
    bundle.write_bytes(
        good_pair().certificate + b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
    )
    [found] = check_authorities(str(bundle), Place(("gateway",)))
    assert (found.code, found.place.json_path) == ("tls-certificate-invalid", "$.gateway.native_ca")
    assert found.message == "certificate 2 of 2 is malformed"


def test_a_file_of_unfinished_blocks_is_read_once(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 250_000)
    [found] = check_authorities(str(hostile), Place())
    assert found.message == "no PEM certificate found"
