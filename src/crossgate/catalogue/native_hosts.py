"""Which native services get which client certificate: hosts and wildcards, and the one that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossgate.catalogue.model import NativeClientCertificate
from crossgate.catalogue.urls import parse_host
from crossgate.diagnostics import Diagnostic, Place
from crossgate.net.address import is_ip_address

_WILDCARD: Final = "*."


def parse_native_host(raw: object) -> str | Diagnostic:
    """The host of native services, as their URLs have it, or ``*.`` and a domain: every name below it."""
    if isinstance(raw, str):
        bare = raw.removeprefix(_WILDCARD)
        host = parse_host(bare)
        if host is not None and (bare == raw or not is_ip_address(host)):
            return raw[: len(raw) - len(bare)] + host.removesuffix(".")
    return Diagnostic(
        "native-host-invalid",
        "expected the host of a native service, without scheme, port and path",
        "Write for example partner.example, *.internal.example for every name below it, or an IP address",
        found=raw if isinstance(raw, str) else repr(raw),
    )


def find_repeated_hosts(certificates: Sequence[NativeClientCertificate]) -> list[Diagnostic]:
    """An error for each host that is named twice; places are relative to the list."""
    seen: set[str] = set()
    found = []
    for index, one in enumerate(certificates):
        for position, host in enumerate(one.hosts):
            if host in seen:
                found.append(
                    Diagnostic(
                        "client-certificate-host-repeated",
                        "another entry names this host, and a native service gets one certificate",
                        "Name each host once",
                        Place((index, "hosts", position)),
                        host,
                    )
                )
            seen.add(host)
    return found


def find_client_certificate(
    certificates: Sequence[NativeClientCertificate], host: str
) -> NativeClientCertificate | None:
    """The certificate for a native service's host: the exact name first, then the longest wildcard."""
    if not certificates:
        return None
    by_host = {name: one for one in certificates for name in one.hosts}
    exact = parent = host.removesuffix(".")
    if exact in by_host or is_ip_address(exact):
        return by_host.get(exact)
    while parent := parent.partition(".")[2]:
        if (found := by_host.get(_WILDCARD + parent)) is not None:
            return found
    return None
