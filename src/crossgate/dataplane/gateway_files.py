"""What is wrong with the files that a gateway's settings name, each at the place that names it."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.catalogue.model import Gateway, Tls
from crossgate.dataplane.access_log_file import check_access_log
from crossgate.dataplane.tls_files import load_authorities, load_pair
from crossgate.diagnostics import Diagnostic, Place, Severity


def check_gateway_files(gateway: Gateway) -> list[Diagnostic]:
    """What is wrong with the files that ``gateway`` names; places are as in a document."""
    found = check_certificates(gateway)
    if gateway.access_log is not None:
        found += check_access_log(gateway.access_log, Place(("gateway", "access_log")))
    return found


def check_certificates(gateway: Gateway) -> list[Diagnostic]:
    """What is wrong with every certificate, key and file of authorities that ``gateway`` names."""
    place = Place(("gateway",))
    found = check_listener_certificates(gateway, place)
    if gateway.native_ca is not None:
        found += check_authorities(gateway.native_ca, place)
    return found + check_client_certificates(gateway, place)


def check_listener_certificates(gateway: Gateway, place: Place) -> list[Diagnostic]:
    """What is wrong with the pairs under ``tls`` of the settings at ``place``."""
    return [one for pair, at in _listener_pairs(gateway, place) for one in check_tls(pair, at)]


def find_no_certificate(gateway: Gateway) -> list[Diagnostic]:
    """Why the listener would have no certificate at all; empty if it has one, or serves clear text."""
    loaded = [load_pair(pair, at) for pair, at in _listener_pairs(gateway, Place(("gateway",)))]
    if any(one.usable for one in loaded):
        return []
    return [bad for one in loaded for bad in one.problems if bad.severity is Severity.ERROR]


def check_client_certificates(gateway: Gateway, place: Place) -> list[Diagnostic]:
    """What is wrong with the pairs that native services are shown."""
    at = place.at("native_client_certificates")
    pairs = enumerate(gateway.native_client_certificates)
    return [one for index, entry in pairs for one in check_tls(entry.pair, at.at(index))]


def check_tls(tls: Tls, place: Place) -> list[Diagnostic]:
    """What is wrong with a certificate and its key; ``place`` is where they are named.

    An expired certificate is a warning: Envoy serves it.
    """
    return list(load_pair(tls, place).problems)


def check_authorities(path: str, place: Place) -> list[Diagnostic]:
    """What is wrong with the file of authorities that ``native_ca`` below ``place`` names."""
    return list(load_authorities(path, place).problems)


def _listener_pairs(gateway: Gateway, place: Place) -> Iterator[tuple[Tls, Place]]:
    for index, pair in enumerate(gateway.tls):
        yield pair, place.at("tls") if len(gateway.tls) == 1 else place.at("tls", index)
