"""Where the control plane listens: the address, what is refused about it, and the safe way to bind it.

What is sent here is the whole configuration, and a client that gets in can read it. So the default is a
socket file for its owner only, and clear text beyond this machine has to be spelled out.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

import grpc

from crossgate.diagnostics import Diagnostic, InvalidInput

LONGEST_SOCKET_PATH = 107
"""Bytes that Linux leaves for the path of a Unix socket (unix(7))."""


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A Unix socket, of mode 0600."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A TCP port in clear text; port 0 picks a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Address = SocketFile | HostPort


def parse_address(text: str, *, clear_text_beyond_this_machine: bool = False) -> Address:
    """``unix:/path`` or ``host:port``, the host being an IP address or ``localhost``.

    Raises `InvalidInput` if it is neither, if the path is too long for a socket, or if the port would be open
    to other machines and ``clear_text_beyond_this_machine`` does not say so.
    """
    if text.startswith("unix:"):
        path = Path(text.removeprefix("unix:")).absolute()
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            raise _refused(
                "xds-socket-path-too-long",
                "The socket's path is too long",
                f"{LONGEST_SOCKET_PATH} bytes fit",
                text,
            )
        return SocketFile(path)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise _refused("xds-address", "No address to listen on", "Write unix:/path or 127.0.0.1:18000", text)
    if not address.is_loopback and not clear_text_beyond_this_machine:
        raise _refused(
            "xds-clear-text",
            "The control plane would be open to other machines in clear text",
            "Listen on unix:/path or a loopback address, and tunnel to it",
            text,
        )
    return HostPort(str(address), int(port))


def bind(server: grpc.aio.Server, address: Address) -> Address:
    """Bind ``server``; returns the address with the chosen port. Raises `InvalidInput` if it is taken."""
    match address:
        case SocketFile(path):
            _clear(path)
            # The mode comes from the umask, so that the socket is at no time open to others.
            before = os.umask(0o177)
            try:
                _add_port(server, address)
            finally:
                os.umask(before)
            path.chmod(0o600)
            return address
        case HostPort(host):
            return HostPort(host, _add_port(server, address))


def _add_port(server: grpc.aio.Server, address: Address) -> int:
    try:
        port: int = server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise _refused(
            "xds-address-unusable",
            f"The control plane cannot listen there: {error}",
            "Stop what uses it, or choose another address and a folder that can be written",
            str(address),
        ) from error
    return port


def _clear(path: Path) -> None:
    """Remove the socket that a killed control plane left behind, and nothing else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(
            "xds-address-unusable",
            f"The socket cannot be made: {error.strerror}",
            "Choose another path",
            str(path),
        ) from error
    if not stat.S_ISSOCK(mode):
        raise _refused(
            "xds-socket-path-taken", "There is a file that is no socket", "Choose another path", str(path)
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise _refused(
                "xds-address-unusable",
                f"The socket is unusable: {error.strerror}",
                "Choose another path",
                str(path),
            ) from error
    raise _refused(
        "xds-socket-path-taken",
        "Another control plane listens there",
        "Stop it, or choose another path",
        str(path),
    )


def _refused(code: str, message: str, remedy: str, found: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])
