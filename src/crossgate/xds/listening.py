"""Binds the control plane's address: what is refused, and how a socket file is made safely.

A client that connects can read the whole configuration, so a socket file is for its owner only.
"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import grpc

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import Address, HostPort, UnixSocket


def bind(server: grpc.aio.Server, address: Address) -> Address:
    """Bind ``server``; returns the address with the chosen port. Raises `InvalidInput` if it is taken."""
    match address:
        case UnixSocket(path):
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
