"""``crossgate run`` with a store as a separate process, and clients of its admin API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.admin_api import client_of
from tests.command import CommandProcess
from tests.live.faults.apart import OwnNetwork
from tests.ports import free_ports

_SECONDS = 90.0
_TOKEN_FILE = re.compile("for this user only: (.+)\n")


@dataclass(frozen=True, slots=True)
class StoreGateway:
    """A running gateway."""

    command: CommandProcess
    port: int
    url: str
    """URL of the admin API."""
    admin: httpx.Client
    traffic_client: httpx.Client
    """Client of its Envoy; opens a connection per request."""

    @property
    def token(self) -> str:
        """The secret of the client's token."""
        return str(self.admin.headers["Authorization"]).removeprefix("Bearer ")

    def preflight(self, origin: str, path: str = "/gateway/pets/1.0/x", method: str = "GET") -> int:
        """The status of one preflight; 0 if there is no response."""
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        try:
            return self.traffic_client.options(path, headers=headers).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def store_gateway(
    folder: Path,
    *options: str,
    secret: str = "",
    port: int | None = None,
    before: Sequence[str] = (),
    apart: bool = False,
) -> Iterator[StoreGateway]:
    """A gateway on free ports; without a ``secret``, with the token that its first start writes.

    ``before`` stands before the command. ``apart`` gives it a network of its own, so that it can listen where
    another one does.
    """
    own_port, admin_port = free_ports(2)
    port = port or own_port
    network = OwnNetwork(folder, (port, admin_port)) if apart else None
    before = network.before if network else before
    addresses = ("--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin_port}")
    with CommandProcess(folder, "run", *addresses, *options, before=before) as command:
        command.wait_for("The admin API listens")
        url = f"http://127.0.0.1:{admin_port}"
        secret = secret or first_token(command)
        with (
            client_of(url, secret, network.socket(admin_port) if network else None) as admin,
            _traffic_client(port, network) as traffic_client,
        ):
            yield StoreGateway(command, port, url, admin, traffic_client)


def first_token(command: CommandProcess) -> str:
    """The secret in the file that the first start names."""
    command.wait_for("for this user only: ")
    eventually(lambda: _TOKEN_FILE.search(command.output) is not None)
    [name] = _TOKEN_FILE.findall(command.output)
    # Its directory may be mounted for the process only.
    file = Path(f"/proc/{command.process.pid}/root{name}")
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_text().strip()


def _traffic_client(port: int, network: OwnNetwork | None) -> httpx.Client:
    transport = httpx.HTTPTransport(
        limits=httpx.Limits(max_keepalive_connections=0),
        uds=str(network.socket(port)) if network else None,
    )
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=_SECONDS)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds; fail after a timeout."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
