"""Which client certificate a native service gets."""

from __future__ import annotations

import pytest

from crossgate.catalogue.model import NativeClientCertificate
from crossgate.catalogue.native_hosts import find_client_certificate, parse_native_host
from crossgate.catalogue.reader import read_gateway
from crossgate.catalogue.serialise import gateway_to_dict
from crossgate.diagnostics import Diagnostic, InvalidInput

CERTIFICATES = tuple(
    NativeClientCertificate(hosts, f"{number}.pem", f"{number}.key")
    for number, hosts in enumerate(
        [("a.example", "10.0.0.1", "::1"), ("*.example",), ("*.a.example",), ("*.0.1",)]
    )
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example", "0.pem"),
        ("a.example.", "0.pem"),
        ("b.example", "1.pem"),
        ("x.y.a.example", "2.pem"),
        ("example", None),
        ("notexample", None),
        ("10.0.0.1", "0.pem"),
        ("::1", "0.pem"),
        ("192.0.0.1", None),
    ],
)
def test_the_exact_host_precedes_the_longest_wildcard(host: str, expected: str | None) -> None:
    found = find_client_certificate(CERTIFICATES, host)
    assert (None if found is None else found.certificate) == expected


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("Partner.example", "partner.example"),
        ("*.internal.example", "*.internal.example"),
        ("partner.example.", "partner.example"),
        ("[::1]", "::1"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_hosts_are_written_as_native_services_have_them(raw: str, host: str) -> None:
    assert parse_native_host(raw) == host


@pytest.mark.parametrize(
    "raw",
    ["", "*", "*.", "a.*.example", "https://a.example", "a.example:443", "a/b", "*.10.0.0.1", "0x7f.1", 7],
)
def test_what_is_no_host_is_refused(raw: object) -> None:
    assert isinstance(parse_native_host(raw), Diagnostic)


def entry(*hosts: str) -> dict[str, object]:
    return {"hosts": list(hosts), "certificate": "c.pem", "key": "c.key"}


def test_a_host_that_two_entries_name_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_gateway({"native_client_certificates": [entry("a.example"), entry("b.example", "A.example")]})
    [found] = refused.value.diagnostics
    assert (found.code, found.place.json_path) == (
        "client-certificate-host-repeated",
        "$.native_client_certificates[1].hosts[1]",
    )


def test_an_entry_without_a_host_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one host"):
        read_gateway({"native_client_certificates": [entry()]})


PAIR = {"certificate": "a.pem", "key": "a.key"}
OTHER = {"certificate": "b.pem", "key": "b.key"}


@pytest.mark.parametrize(
    ("written", "kept"), [(None, None), (PAIR, PAIR), ([PAIR], PAIR), ([PAIR, OTHER], [PAIR, OTHER])]
)
def test_a_single_pair_is_written_as_versions_that_knew_no_list_read_it(
    written: object, kept: object
) -> None:
    assert gateway_to_dict(read_gateway({"tls": written})).get("tls") == kept


def test_an_empty_list_of_pairs_is_refused_instead_of_serving_clear_text() -> None:
    with pytest.raises(InvalidInput, match="a list of some"):
        read_gateway({"tls": []})
