"""Checks of this machine: whether the gateway can listen, and whether native services are reachable.

The listen address is checked before Envoy starts, because Envoy does not notice every conflict: it sets
SO_REUSEPORT, so a second Envoy of the same user on the same port starts without an error, and the kernel
distributes connections over both.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from crossgate.catalogue.model import NativeService
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.net.address import HostPort

_NOWHERE: Final = Place()
_CONNECT_SECONDS: Final = 2.0
_CONCURRENT_CONNECTS: Final = 100


def check_listen(
    host: str, port: int, place: Place = _NOWHERE, *, own_envoys: Collection[int] = ()
) -> Diagnostic | None:
    """Why nothing can listen on ``host:port`` now, or None. ``place`` is where the address was configured.

    The processes ``own_envoys`` may hold the port: Envoy shares it with itself while it replaces a listener,
    and with the Envoy whose place it takes.
    """
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return Diagnostic(
            "listen-not-an-address",
            "the listen address must be an IP address, not a host name",
            "Write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for every interface",
            place,
            host,
        )
    try:
        _try_listen(family, host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and own_envoys:
            holders = _holders(host, port)
            if holders and holders <= set(own_envoys):
                return None
        return _listen_refused(error, host, port, place)
    return None


def _holders(host: str, port: int) -> set[int | None]:
    """The processes that listen where ``host:port`` would; None stands for those of other users."""
    import psutil

    address = _unmapped(host)
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return set()
    holders = set()
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port:
            theirs = _unmapped(one.laddr.ip)
            if address.is_unspecified or theirs.is_unspecified or theirs == address:
                holders.add(one.pid)
    return holders


def _unmapped(host: str) -> IPv4Address | IPv6Address:
    """The address; of ``::ffff:127.0.0.1``, the IPv4 address in it."""
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


def _try_listen(family: socket.AddressFamily, host: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Envoy does, so that connections in TIME_WAIT of a gateway that just ended do not count. Not
        # SO_REUSEPORT: a port that another Envoy serves has to be reported as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            # As Envoy does: [::] leaves IPv4 to other listeners.
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((host, port))
        probe.listen(1)


def _listen_refused(error: OSError, host: str, port: int, place: Place) -> Diagnostic:
    where = str(HostPort(host, port))
    match error.errno:
        case errno.EADDRINUSE:
            return _port_taken(port, where, place)
        case errno.EADDRNOTAVAIL:
            code, message = "listen-not-here", f"this machine has no address {host}"
            remedy = "Use one of its addresses (ip addr lists them), or 0.0.0.0 for all"
        case errno.EACCES | errno.EPERM:
            code, message = "listen-not-permitted", f"this user may not listen on port {port}"
            remedy = (
                "Use a port from 1024, or grant the permission: sysctl net.ipv4.ip_unprivileged_port_start, "
                "or CAP_NET_BIND_SERVICE as an ambient capability"
            )
        case _:
            code, message = "listen-failed", f"cannot listen on {where}: {error.strerror}"
            remedy = "Choose another address"
    return Diagnostic(code, message, remedy, place, where)


def _port_taken(port: int, where: str, place: Place) -> Diagnostic:
    found = listeners(port)
    if any(process.pid == os.getpid() for process in found):
        by, remedy = "this process: its admin API or its control plane", "Choose another port"
    elif not found:
        by = "another program, or an outgoing connection"
        remedy = (
            f"Run `ss -tanp 'sport = :{port}'` as root to find it. Stop it, or choose another port; below "
            "32768, no outgoing connection takes it, not even in TIME-WAIT"
        )
    else:
        by = " and ".join(f"{process.command} (pid {process.pid})" for process in found)
        remedy = f"Stop it (kill {' '.join(str(process.pid) for process in found)}), or choose another port"
    return Diagnostic("listen-port-taken", f"port {port} is in use by {by}", remedy, place, where)


@dataclass(frozen=True, slots=True)
class ListeningProcess:
    """A process that listens: its id and the name of its program."""

    pid: int
    command: str


def listeners(port: int) -> tuple[ListeningProcess, ...]:
    """The processes that listen on ``port``, by id; empty if none, or none that this user may inspect."""
    # Only a port in use needs it, so the start does not wait until it is loaded.
    import psutil

    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return ()
    listening = [one for one in connections if one.status == psutil.CONN_LISTEN]
    pids = {one.pid for one in listening if one.pid is not None and one.laddr and one.laddr.port == port}
    found = []
    for pid in sorted(pids):
        with suppress(psutil.Error):
            found.append(ListeningProcess(pid, psutil.Process(pid).name()))
    return tuple(found)


async def find_unreachable(
    services: Iterable[tuple[Place, NativeService]], severity: Severity
) -> list[Diagnostic]:
    """One finding for each service that accepts no connection within two seconds, at the place that names it.

    Services with one address are tried once. Nothing is sent: whether it is the right service stays unknown.
    """
    places: dict[tuple[str, int], list[tuple[Place, NativeService]]] = {}
    for place, native in services:
        places.setdefault((native.host, native.port), []).append((place, native))
    limit = asyncio.Semaphore(_CONCURRENT_CONNECTS)
    reasons = await asyncio.gather(*(_try_connect(limit, host, port) for host, port in places))
    return [
        _unreachable(place, native, reason, severity)
        for named, reason in zip(places.values(), reasons, strict=True)
        for place, native in named
        if reason is not None
    ]


async def _try_connect(limit: asyncio.Semaphore, host: str, port: int) -> str | None:
    """Why the connection failed; None if it did not."""
    try:
        async with limit, asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except TimeoutError:
        return f"no answer within {_CONNECT_SECONDS:.0f} s"
    except socket.gaierror as error:
        return f"cannot resolve {host}: {error.strerror}"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return None


def _unreachable(place: Place, native: NativeService, reason: str, severity: Severity) -> Diagnostic:
    return Diagnostic(
        code="native-unreachable",
        message=f"native service unreachable: {reason}",
        found=str(native),
        remedy="Start it or correct its address; until then its API answers 503",
        place=place,
        severity=severity,
    )
