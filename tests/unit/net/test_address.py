"""Addresses of the listener, the admin API, the control plane and nodes: accepted, written, refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.net.address import (
    Address,
    HostPort,
    UnixSocket,
    parse_admin_address,
    parse_control_plane_address,
    parse_listen_address,
)

PARSERS: dict[str, Callable[[object], Address | Diagnostic]] = {
    "listen-invalid": parse_listen_address,
    "admin-address": parse_admin_address,
    "xds-address": parse_control_plane_address,
}
every_parser = pytest.mark.parametrize(("code", "parse"), PARSERS.items(), ids=PARSERS)


@every_parser
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", HostPort("127.0.0.1", 8080)),
        ("127.0.0.2:1", HostPort("127.0.0.2", 1)),
        ("[::1]:65535", HostPort("::1", 65535)),
    ],
)
def test_addresses_that_every_use_accepts(
    code: str, parse: Callable[[object], object], text: str, address: HostPort
) -> None:
    del code
    assert parse(text) == address
    assert str(address) == text


@every_parser
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (8080, "must be a string"),
        (None, "must be a string"),
        ("", "has no port"),
        ("18000", "has no port"),
        ("127.0.0.1", "has no port"),
        ("127.0.0.1:", "has an invalid port"),
        ("127.0.0.1:-1", "has an invalid port"),
        ("127.0.0.1:65536", "has an invalid port"),
        ("127.0.0.1:http", "has an invalid port"),
        ("127.0.0.1:²", "has an invalid port"),
        ("127.0.0.1:" + "9" * 5000, "has an invalid port"),
        ("127.0.0.1:8080\n", "has an invalid port"),
        (":8080", "has no IP address"),
        ("example.com:8080", "has no IP address"),
        ("::1:8080", "has no IP address"),
        ("[::1%25eth0]:8080", "has no IP address"),
        ("*:8080", "has no IP address"),
        ("127.1:8080", "has no IP address"),
    ],
)
def test_addresses_that_no_use_accepts(
    code: str, parse: Callable[[object], object], raw: object, reason: str
) -> None:
    refused = parse(raw)
    assert isinstance(refused, Diagnostic)
    assert refused.code == code
    assert refused.message.endswith(f"'s address {reason}")
    assert len(refused.found or "") <= 110


def test_only_the_gateway_refuses_localhost_and_a_free_port() -> None:
    assert parse_admin_address("localhost:0") == HostPort("127.0.0.1", 0)
    assert parse_control_plane_address("localhost:0") == HostPort("127.0.0.1", 0)
    for text in ("localhost:8080", "127.0.0.1:0"):
        assert isinstance(parse_listen_address(text), Diagnostic)


@pytest.mark.parametrize("text", ["0.0.0.0:8090", "[::]:8090", "192.0.2.1:8090"])
def test_clear_text_to_other_machines_is_refused(text: str) -> None:
    assert str(parse_listen_address(text)) == text
    for parse, code in (
        (parse_admin_address, "admin-clear-text"),
        (PARSERS["xds-address"], "xds-clear-text"),
    ):
        refused = parse(text)
        assert isinstance(refused, Diagnostic)
        assert (refused.code, refused.found) == (code, text)
    assert str(parse_admin_address(text, in_clear_text=True)) == text


def test_a_name_is_not_loopback() -> None:
    assert not HostPort("localhost", 80).is_loopback


def test_sockets() -> None:
    address = parse_control_plane_address("unix:/run/crossgate/xds.sock")
    assert address == UnixSocket(Path("/run/crossgate/xds.sock"))
    assert str(address) == "unix:/run/crossgate/xds.sock"
    assert isinstance(parse_admin_address("unix:/run/admin.sock"), Diagnostic)


def test_a_path_too_long_for_a_socket() -> None:
    refused = parse_control_plane_address("unix:/" + "x" * 107)
    assert isinstance(refused, Diagnostic)
    assert refused.code == "xds-socket-path-too-long"
