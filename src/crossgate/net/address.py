"""Network addresses: ``127.0.0.1:8080``, ``[::1]:8080`` and ``unix:/path``, parsed and written in one way.

No name is resolved. Only ``localhost`` is accepted, and not for the gateway itself: the address that a name
stands for can change without a change to the configuration.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from crossgate.diagnostics import Diagnostic

MAX_SOCKET_PATH: Final = 107
"""Bytes that Linux leaves for the path of a Unix socket (unix(7))."""

_PORT: Final = re.compile("[0-9]{1,5}")
_UNIX: Final = "unix:"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A TCP address: an IP address or a name, IPv6 without brackets; and a port, 0 for a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect to it; a name is never taken for loopback."""
        return is_ip_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class SocketMode(Enum):
    """Who may connect to a Unix socket."""

    OWNER = "0600"
    GROUP = "0660"

    @property
    def bits(self) -> int:
        """The permission bits of the file."""
        return int(self.value, 8)


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A Unix socket, by the path of its file."""

    path: Path

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}"


Address = HostPort | UnixSocket


def parse_listen_address(raw: object) -> HostPort | Diagnostic:
    """Where the gateway listens: an IP address and a port from 1 to 65535. Names are refused."""
    return _parse_host_port(raw, _GATEWAY)


def parse_admin_address(raw: object, *, in_clear_text: bool = False) -> HostPort | Diagnostic:
    """Where the admin API listens: an IP address or ``localhost``, and a port, 0 for a free one.

    An address that other machines can reach is refused unless ``in_clear_text`` is set.
    """
    address = _parse_host_port(raw, _ADMIN)
    if isinstance(address, Diagnostic) or address.is_loopback or in_clear_text:
        return address
    return Diagnostic(
        code="admin-clear-text",
        message="other machines could reach the admin API, and tokens would travel in clear text",
        remedy=(
            "Listen on a loopback address behind a TLS proxy;"
            " or set --admin-in-clear-text if the network is trusted"
        ),
        found=str(address),
    )


def parse_health_address(raw: object) -> HostPort | Diagnostic:
    """Where health checks are answered: an IP address or ``localhost``, and a port, 0 for a free one."""
    return _parse_host_port(raw, _HEALTH)


def parse_control_plane_address(raw: object) -> Address | Diagnostic:
    """Where nodes find the control plane: ``unix:/path``, or a loopback address and a port, 0 for a free one.

    What is served there is the whole configuration, in clear text: other machines must not reach it.
    """
    if isinstance(raw, str) and raw.startswith(_UNIX):
        return _parse_socket_path(raw)
    address = _parse_host_port(raw, _CONTROL_PLANE)
    if isinstance(address, Diagnostic) or address.is_loopback:
        return address
    return Diagnostic(
        code="xds-clear-text",
        message="other machines could reach the control plane, in clear text",
        remedy="Use unix:/path or a loopback address, and a tunnel to it",
        found=str(address),
    )


def parse_port(text: str) -> int | None:
    """A port from 0 to 65535 in decimal digits; None for anything else."""
    return port if _PORT.fullmatch(text) and (port := int(text)) <= 65535 else None


def parse_ip_address(text: str) -> str | None:
    """An IP address in its shortest form, None for anything else; an IPv6 address is given in brackets."""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        if bracketed:
            return None if "%" in text else ipaddress.IPv6Address(text[1:-1]).compressed
        return str(ipaddress.IPv4Address(text))
    except ipaddress.AddressValueError:
        return None


def is_ip_address(host: str) -> bool:
    """Whether the host is an IP address (IPv6 without brackets) and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parse_network(raw: object) -> str | Diagnostic:
    """A network in its shortest form, such as ``10.0.0.0/8`` or ``192.0.2.1/32``.

    Refused is what could mean another network than was intended: bits outside of the prefix, a mask instead
    of its length, and IPv4 addresses in IPv6 notation, which no connection to an IPv6 socket of Envoy has.
    """
    if not isinstance(raw, str):
        return _invalid_network("must be a string", repr(raw), "Write 10.0.0.0/8")
    address, slash, length = raw.partition("/")
    example = "2001:db8::/32" if ":" in address else "10.0.0.0/8"
    if "%" in address or address.startswith("[") or (slash and not _PREFIX_LENGTH.fullmatch(length)):
        return _invalid_network("is invalid", raw, f"Write an address or a network: {example}")
    try:
        network = ipaddress.ip_network(raw, strict=False)
        exact = network.network_address == ipaddress.ip_address(address)
    except ValueError:
        return _invalid_network("is invalid", raw, f"Write an address or a network: {example}")
    if network.prefixlen >= 96 and network.overlaps(_IPV4_MAPPED):
        mapped = ipaddress.ip_network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
        return _invalid_network("is an IPv4 network in IPv6 notation", raw, f"Write {mapped}")
    if not exact:
        return _invalid_network("has bits outside of its prefix", raw, f"Write {network}")
    return str(network)


def client_network(address: str) -> str:
    """What limits per client count: the address; with IPv6 its /64, which a client usually controls."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        # An IPv4 client of a socket that listens on [::].
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


_PREFIX_LENGTH: Final = re.compile("[0-9]{1,3}")
_IPV4_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def _invalid_network(reason: str, found: str, remedy: str) -> Diagnostic:
    shortened = found if len(found) <= 100 else f"{found[:100]}…"
    return Diagnostic("network-invalid", f"the network {reason}", remedy, found=shortened)


@dataclass(frozen=True, slots=True)
class _Use:
    """What an address is for."""

    subject: str
    code: str
    example: str
    localhost: bool = True
    free_port: bool = True


_GATEWAY: Final = _Use("the gateway's address", "listen-invalid", "127.0.0.1:8080", False, False)  # noqa: FBT003 - a table
_ADMIN: Final = _Use("the admin API's address", "admin-address", "127.0.0.1:8090")
_HEALTH: Final = _Use("the address of the health checks", "health-address", "127.0.0.1:8091")
_CONTROL_PLANE: Final = _Use("the control plane's address", "xds-address", "unix:/path or 127.0.0.1:18000")


def _parse_host_port(raw: object, use: _Use) -> HostPort | Diagnostic:
    if not isinstance(raw, str):
        return _invalid(use, "must be a string", repr(raw), f"Write {use.example}")
    host, colon, port_text = raw.rpartition(":")
    if not colon:
        return _invalid(use, "has no port", raw, f"Write {use.example}")
    port = parse_port(port_text)
    if port is None or (port == 0 and not use.free_port):
        free = ", or 0 for a free one" if use.free_port else ""
        return _invalid(use, "has an invalid port", raw, f"Write a port from 1 to 65535{free}")
    address = "127.0.0.1" if use.localhost and host == "localhost" else parse_ip_address(host)
    if address is None:
        remedy = (
            f"Write 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for every IPv4 address of it;"
            f" IPv6 in brackets: [::1]:{port}"
        )
        return _invalid(use, "has no IP address", raw, remedy)
    return HostPort(address, port)


def _parse_socket_path(raw: str) -> UnixSocket | Diagnostic:
    path = Path(raw.removeprefix(_UNIX)).absolute()
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        return Diagnostic(
            code="xds-socket-path-too-long",
            message=f"the socket's path is longer than {MAX_SOCKET_PATH} bytes",
            remedy="Choose a shorter path",
            found=raw,
        )
    return UnixSocket(path)


def _invalid(use: _Use, reason: str, found: str, remedy: str) -> Diagnostic:
    shortened = found if len(found) <= 100 else f"{found[:100]}…"
    return Diagnostic(use.code, f"{use.subject} {reason}", remedy, found=shortened)
