"""``crossgate run`` with a store, as a process of its own, and its admin API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.admin_api import client_of
from tests.live.faults.apart import OwnNetwork
from tests.live.faults.command import Command
from tests.ports import free_ports

_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class StoreGateway:
    """One that serves."""

    command: Command
    port: int
    url: str
    """Of its admin API."""
    admin: httpx.Client
    asking: httpx.Client
    """What asks its Envoy; each request over a connection of its own."""

    @property
    def token(self) -> str:
        """The secret of the token that the client has."""
        return str(self.admin.headers["Authorization"]).removeprefix("Bearer ")

    def preflight(self, origin: str, path: str = "/gateway/pets/1.0/x", method: str = "GET") -> int:
        """The status of one preflight; 0 if nobody answers."""
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        try:
            return self.asking.options(path, headers=headers).status_code
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
    """A gateway on free ports; without a ``secret``, with the token that its first start prints.

    ``before`` stands before the command. ``apart`` gives it a network of its own, so that it can listen where
    another one does.
    """
    own_port, admin_port = free_ports(2)
    port = port or own_port
    network = OwnNetwork(folder, (port, admin_port)) if apart else None
    before = network.before if network else before
    addresses = ("--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin_port}")
    with Command(folder, "run", *addresses, *options, before=before) as command:
        command.wait_for("The admin API listens")
        url = f"http://127.0.0.1:{admin_port}"
        printed = re.search(r"cgt_[\w-]+", command.output)
        secret = secret or (printed[0] if printed else "")
        with (
            client_of(url, secret, network.socket(admin_port) if network else None) as admin,
            _asking(port, network) as asking,
        ):
            yield StoreGateway(command, port, url, admin, asking)


def _asking(port: int, network: OwnNetwork | None) -> httpx.Client:
    transport = httpx.HTTPTransport(
        limits=httpx.Limits(max_keepalive_connections=0),
        uds=str(network.socket(port)) if network else None,
    )
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=_SECONDS)


def eventually(holds: Callable[[], bool]) -> None:
    """Return once it holds; fail if it takes too long."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
