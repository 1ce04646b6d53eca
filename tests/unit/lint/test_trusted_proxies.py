"""Networks of trusted proxies are linted in the gateway object, with or without public origins."""

from __future__ import annotations

from crossgate.catalogue.document import read_document
from crossgate.lint.check import check_catalogue


def findings(gateway: str) -> list[tuple[str, tuple[str | int, ...]]]:
    catalogue = read_document(f"gateway: {{{gateway}}}\n").catalogue
    assert catalogue is not None
    found = check_catalogue(catalogue).findings()
    return [(one.diagnostic.code, one.diagnostic.place.path) for one in found]


def test_a_network_of_everybody_is_found_in_its_place() -> None:
    place = ("gateway", "trusted_proxies", 1)
    assert findings("trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]") == [("proxy-anybody", place)]
    both = "public_origins: ['https://own.example.com'], trusted_proxies: [10.0.0.0/8, '::/0']"
    assert findings(both) == [("proxy-anybody", place)]


def test_other_networks_are_not() -> None:
    assert findings("trusted_proxies: [10.0.0.0/8, 203.0.113.7, '2001:db8::/32']") == []


def test_the_finding_can_be_accepted() -> None:
    accepted = "{allow: [{code: proxy-anybody, entry: 0.0.0.0/0, reason: a firewall}]}"
    assert findings(f"trusted_proxies: [0.0.0.0/0], lint: {accepted}") == []
    assert ("proxy-anybody", ("gateway", "trusted_proxies", 1)) in findings(
        f"trusted_proxies: [0.0.0.0/0, '::/0'], lint: {accepted}"
    )
