"""Time from the rename of a renewed pair to the first connection that gets it: alone, and under load.

PYTHONPATH=src:. .venv/bin/python bench/renewal.py
"""

from __future__ import annotations

import socket
import ssl
import statistics
import tempfile
import threading
import time
from pathlib import Path

import trustme
from cryptography import x509
from tests.live.in_process_gateway import LiveGateway, api, live_gateway
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, http1

from crossgate.catalogue.model import Catalogue, Gateway, Tls
from crossgate.net.address import HostPort

ROUNDS = 50
CLIENTS = 8
_REQUEST = RawRequest("GET", "/gateway/pet/1/x", ())


def main() -> None:
    """Print both distributions."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as name, ScriptedNative() as native, live_gateway() as gateway:
        folder = Path(name)
        renew(folder, authority)
        tls = (Tls(str(folder / "tls.crt"), str(folder / "tls.key")),)
        pet = api("pet", native.port, None)
        gateway.publish(Catalogue(Gateway(HostPort("127.0.0.1", gateway.port), tls=tls), apis={pet.key: pet}))
        report("alone", measure(gateway, folder, authority))
        stop = threading.Event()
        failures: list[str] = []
        clients = [threading.Thread(target=load, args=(gateway.port, stop, failures)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        report(f"{CLIENTS} clients", measure(gateway, folder, authority))
        stop.set()
        for client in clients:
            client.join()
        print(f"failed requests: {len(failures)}")


def report(what: str, milliseconds: list[float]) -> None:
    """Print the median and the longest."""
    print(f"{what}: p50 {statistics.median(milliseconds):.0f} ms, max {max(milliseconds):.0f} ms")


def measure(gateway: LiveGateway, folder: Path, authority: trustme.CA) -> list[float]:
    """How long each renewal took."""
    found = []
    for _ in range(ROUNDS):
        time.sleep(0.1)
        began, serial = renew(folder, authority)
        while served(gateway.port) != serial:
            time.sleep(0.001)
        found.append((time.perf_counter() - began) * 1000)
    return found


def renew(folder: Path, authority: trustme.CA) -> tuple[float, int]:
    """Rename a new pair over the old one; returns when that was, and the serial number."""
    issued = authority.issue_cert("gateway.test")
    certificate = issued.cert_chain_pems[0].bytes()
    (folder / "new.key").write_bytes(issued.private_key_pem.bytes())
    (folder / "new.crt").write_bytes(certificate)
    (folder / "new.key").rename(folder / "tls.key")
    (folder / "new.crt").rename(folder / "tls.crt")
    return time.perf_counter(), x509.load_pem_x509_certificate(certificate).serial_number


def served(port: int) -> int | None:
    """The serial number of the certificate that a new connection gets."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context().wrap_socket(plain, server_hostname="gateway.test") as opened,
        ):
            return x509.load_der_x509_certificate(opened.getpeercert(binary_form=True) or b"").serial_number
    except OSError:
        return None


def load(port: int, stop: threading.Event, failures: list[str]) -> None:
    """Send requests one after another over one connection."""
    with http1(port, context()) as connection:
        while not stop.is_set():
            if connection.send(_REQUEST).status != 200:
                failures.append("status")


def context() -> ssl.SSLContext:
    """One that accepts every certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


if __name__ == "__main__":
    main()
