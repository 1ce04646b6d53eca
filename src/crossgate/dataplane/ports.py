"""Whether the gateway can listen where it is told to, asked before Envoy starts.

Envoy itself does not notice every conflict: it sets SO_REUSEPORT, so a second Envoy of the same user on
the same port starts without a word, and the kernel deals connections to both of them.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from crossgate.dataplane.port_holders import holders
from crossgate.diagnostics import Diagnostic, Place

_NOWHERE = Place()


def check_listen(host: str, port: int, place: Place = _NOWHERE) -> Diagnostic | None:
    """Why nothing can listen on ``host:port`` now, or None. ``place`` is where the address was configured."""
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return Diagnostic(
            "listen-not-an-address",
            "The gateway listens on an address, not on a name",
            "Write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for every interface",
            place,
            host,
        )
    try:
        _try(family, host, port)
    except OSError as error:
        return _refusal(error, host, port, place)
    return None


def _try(family: socket.AddressFamily, host: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Envoy does, so that the connections of a gateway that just ended are no obstacle. Not
        # SO_REUSEPORT: a port that another Envoy serves has to be found taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)


def _refusal(error: OSError, host: str, port: int, place: Place) -> Diagnostic:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return _taken(port, where, place)
        case errno.EADDRNOTAVAIL:
            code, message = "listen-not-here", f"This machine has no address {host}"
            remedy = "Use one of its addresses (ip addr shows them), or 0.0.0.0 for all"
        case errno.EACCES | errno.EPERM:
            code, message = "listen-not-permitted", f"This user may not listen on port {port}"
            remedy = (
                "Use a port from 1024, or grant it: sysctl net.ipv4.ip_unprivileged_port_start, "
                "or CAP_NET_BIND_SERVICE as an ambient capability"
            )
        case _:
            code, message = "listen-failed", f"Nothing can listen on {where}: {error.strerror}"
            remedy = "Choose another address"
    return Diagnostic(code, message, remedy, place, where)


def _taken(port: int, where: str, place: Place) -> Diagnostic:
    found = holders(port)
    if not found:
        by, remedy = (
            "another program",
            f"`ss -ltnp 'sport = :{port}'`, as root, says which. Stop it, or choose another port",
        )
    else:
        by = " and ".join(f"{holder.command} (pid {holder.pid})" for holder in found)
        remedy = f"Stop it (kill {' '.join(str(holder.pid) for holder in found)}), or choose another port"
    return Diagnostic("listen-port-taken", f"Port {port} is taken by {by}", remedy, place, where)
