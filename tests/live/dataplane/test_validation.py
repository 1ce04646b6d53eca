"""Envoy's verdict on settings, and that the check of their files agrees with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.certificates import every_pair, good_pair

from crossgate.catalogue.model import Gateway, Settings, Tls
from crossgate.compiler.standalone import compile_settings, static_resources
from crossgate.dataplane.binary import EnvoyBinary, find_envoy
from crossgate.dataplane.gateway_files import check_authorities, check_tls
from crossgate.dataplane.validation import validate
from crossgate.diagnostics import Place, Severity
from crossgate.policy import read_server_policy

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def binary() -> EnvoyBinary:
    return find_envoy()


def verdict(
    binary: EnvoyBinary, folder: Path, gateway: Gateway, settings: Settings | None = None
) -> str | None:
    authorities = folder / "system.pem"
    authorities.write_bytes(good_pair().certificate)
    compiled = compile_settings(gateway, settings or Settings(), str(authorities))
    return validate(binary, static_resources(compiled.values()), folder)


@pytest.mark.parametrize("name", every_pair())
def test_the_check_of_the_files_agrees_with_envoy(name: str, binary: EnvoyBinary, tmp_path: Path) -> None:
    certificate, key = every_pair()[name][0].write(tmp_path)
    tls = Tls(str(certificate), str(key))
    errors = [one for one in check_tls(tls, Place()) if one.severity is Severity.ERROR]
    reason = verdict(binary, tmp_path, Gateway(tls=(tls,)))
    assert bool(errors) == (reason is not None), reason

    found = check_authorities(str(certificate), Place())
    authorities = [one for one in found if one.severity is Severity.ERROR]
    reason = verdict(binary, tmp_path, Gateway(native_ca=str(certificate)))
    assert bool(authorities) == (reason is not None), reason


def test_server_level_settings_are_validated_with_their_routes(binary: EnvoyBinary, tmp_path: Path) -> None:
    prefix = "watt.server.cors."
    written = {f"{prefix}enabled": True, f"{prefix}allowedOrigins": "https://a.example r:https://[a-z]+"}
    policy, _ = read_server_policy(written, lambda _: [])
    assert verdict(binary, tmp_path, Gateway(), Settings(written, policy)) is None


def test_the_reason_is_envoys_own(binary: EnvoyBinary, tmp_path: Path) -> None:
    certificate, key = every_pair()["a certificate of another key"][0].write(tmp_path)
    reason = verdict(binary, tmp_path, Gateway(tls=(Tls(str(certificate), str(key)),)))
    assert reason is not None
    assert reason.startswith(f"Failed to load private key from {key}")
    assert "KEY_VALUES_MISMATCH" in reason
    assert not list(tmp_path.glob("validate-*"))


def test_an_envoy_that_cannot_run_gives_no_consent(binary: EnvoyBinary, tmp_path: Path) -> None:
    for path, expected in (
        (tmp_path / "absent", "it cannot be started: No such file or directory"),
        (Path("/bin/false"), "status 1"),
    ):
        assert verdict(replace(binary, path=path), tmp_path, Gateway()) == expected
