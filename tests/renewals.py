"""Certificates that a test renews, and the one that a gateway serves."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import trustme
from cryptography import x509

_SECONDS = 30.0
_NAME = "gateway.test"


def untrusting(protocol: str = "http/1.1") -> ssl.SSLContext:
    """A client's context that accepts every certificate, and asks for a protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


class RenewedPair:
    """A certificate and its key, which are overwritten by :meth:`renew`, as lego does."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "gateway.test.crt", folder / "gateway.test.key"
        self._authority = trustme.CA()
        self.renew()

    def renew(self) -> int:
        """Write another pair; returns the serial number of its certificate."""
        issued = self._authority.issue_cert(_NAME)
        certificate = issued.cert_chain_pems[0].bytes()
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(issued.private_key_pem.bytes())
        return x509.load_pem_x509_certificate(certificate).serial_number


def served(port: int) -> int:
    """The serial number of the certificate that a new connection gets."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain,
        untrusting().wrap_socket(plain, server_hostname=_NAME) as opened,
    ):
        return x509.load_der_x509_certificate(opened.getpeercert(binary_form=True) or b"").serial_number


def held_by(pid: int) -> set[int]:
    """The serial numbers of the certificates that an Envoy has; empty if it does not answer."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    folder = Path(words[words.index("--config-path") + 1]).parent
    # A restart moves the socket of the Envoy before. The identity of each Envoy is on its command line.
    for path in filter(_listens, (folder / "admin.sock", *folder.glob("old-*.sock"))):
        with (
            suppress(httpx.TransportError),
            httpx.Client(
                transport=httpx.HTTPTransport(uds=str(path)), base_url="http://envoy", timeout=_SECONDS
            ) as client,
        ):
            options = client.get("/server_info").json()["command_line_options"]
            if options["config_yaml"] in words:
                found = client.get("/certs").json()["certificates"]
                return {int(one["serial_number"], 16) for each in found for one in each["cert_chain"]}
    return set()


def _listens(path: Path) -> bool:
    """Whether somebody listens at a unix socket: httpx would not close one that it cannot connect."""
    with socket.socket(socket.AF_UNIX) as connecting:
        return connecting.connect_ex(str(path)) == 0
