"""Networks: accepted in one meaning only."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.net.address import parse_network


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
    ],
)
def test_a_network(written: str, network: str) -> None:
    assert parse_network(written) == network
    assert parse_network(network) == network


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("10.1.0.0/8", "Write 10.0.0.0/8"),
        ("2001:db8::1/32", "Write 2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "Write 10.0.0.0/8"),
        ("::ffff:192.0.2.1", "Write 192.0.2.1/32"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.0.0.0/0.255.255.255", "10.0.0.0/8"),
        ("10.0.0.0/33", "10.0.0.0/8"),
        ("10.0.0.0/", "10.0.0.0/8"),
        ("10.0.0.0/8/8", "10.0.0.0/8"),
        ("10.0.0", "10.0.0.0/8"),
        ("010.0.0.1", "10.0.0.0/8"),
        ("10.0.0.1-10.0.0.9", "10.0.0.0/8"),
        ("[::1]", "2001:db8::/32"),
        ("fe80::1%eth0", "2001:db8::/32"),
        ("proxy.example.com", "10.0.0.0/8"),
        ("*", "10.0.0.0/8"),
        ("", "10.0.0.0/8"),
        ("\u0661\u0660.0.0.0/8", "10.0.0.0/8"),
        (10.0, "10.0.0.0/8"),
    ],
)
def test_what_could_mean_another_network_is_refused(written: object, remedy: str) -> None:
    refused = parse_network(written)
    assert isinstance(refused, Diagnostic)
    assert refused.code == "network-invalid"
    assert remedy in refused.remedy
