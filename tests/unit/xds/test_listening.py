from __future__ import annotations

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.xds.listening import HostPort, parse_address


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("unix:/run/crossgate/xds.sock", "unix:/run/crossgate/xds.sock"),
        ("127.0.0.1:18000", "127.0.0.1:18000"),
        ("localhost:18000", "127.0.0.1:18000"),
        ("[::1]:18000", "[::1]:18000"),
    ],
)
def test_addresses(text: str, rendered: str) -> None:
    assert str(parse_address(text)) == rendered


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "xds-address"),
        ("18000", "xds-address"),
        ("127.0.0.1:", "xds-address"),
        ("127.0.0.1:65536", "xds-address"),
        ("127.0.0.1:²", "xds-address"),
        ("example.com:18000", "xds-address"),
        ("0.0.0.0:18000", "xds-clear-text"),
        ("[::]:18000", "xds-clear-text"),
        ("unix:/" + "x" * 107, "xds-socket-path-too-long"),
    ],
)
def test_refused_addresses(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_address(text)
    assert [diagnostic.code for diagnostic in refused.value.diagnostics] == [code]


def test_clear_text_to_other_machines_has_to_be_spelled_out() -> None:
    address = parse_address("0.0.0.0:18000", clear_text_beyond_this_machine=True)
    assert address == HostPort("0.0.0.0", 18000)
