"""The address at which the gateway listens."""

from __future__ import annotations

from crossgate.catalogue.urls import parse_ip, parse_port
from crossgate.diagnostics import Diagnostic


def parse_listen(loose: object) -> tuple[str, int] | Diagnostic:
    """Host and port from ``127.0.0.1:8080`` or ``[::1]:8080``; the host without brackets.

    Names are refused, ``localhost`` too: which address they mean is not the document's to say.
    """
    if not isinstance(loose, str):
        return _refuse("must be a text", repr(loose), "Write an address and a port: 127.0.0.1:8080")
    host, colon, port_text = loose.rpartition(":")
    if not colon:
        return _refuse("has no port", loose, f"Write an address and a port: {loose or '127.0.0.1'}:8080")
    port = parse_port(port_text)
    if port is None:
        return _refuse(
            "has an impossible port", loose, "Write a port from 1 to 65535; 0 would change at every start"
        )
    address = parse_ip(host)
    if address is None:
        return _refuse(
            "has no IP address",
            loose,
            f"Write 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for every IPv4 address of it,"
            f" IPv6 in brackets: [::1]:{port}",
        )
    return address, port


def format_listen(host: str, port: int) -> str:
    """The text that :func:`parse_listen` reads as these."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse(reason: str, found: str, remedy: str) -> Diagnostic:
    return Diagnostic("listen-invalid", f"the address to listen on {reason}", remedy, found=found)
