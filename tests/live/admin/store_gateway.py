"""``crossgate run`` with a store, as a process of its own, and its admin API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.admin_api import client_of
from tests.live.faults.command import Command
from tests.ports import free_ports

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class StoreGateway:
    """One that serves."""

    command: Command
    port: int
    url: str
    """Of its admin API."""
    admin: httpx.Client

    @property
    def token(self) -> str:
        """The secret of the token that the client has."""
        return str(self.admin.headers["Authorization"]).removeprefix("Bearer ")

    def preflight(self, origin: str, path: str = "/gateway/pets/1.0/x", method: str = "GET") -> int:
        """The status of one preflight; 0 if nobody answers."""
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            return httpx.options(url, headers=headers, timeout=10, trust_env=False).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def store_gateway(
    folder: Path, *options: str, secret: str = "", port: int | None = None
) -> Iterator[StoreGateway]:
    """A gateway on free ports; without a ``secret``, with the token that its first start prints."""
    own_port, admin_port = free_ports(2)
    port = port or own_port
    addresses = ("--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin_port}")
    with Command(folder, "run", *addresses, *options) as command:
        command.wait_for("Crossgate serves")
        url = f"http://127.0.0.1:{admin_port}"
        printed = re.search(r"cgt_[\w-]+", command.output)
        with client_of(url, secret or (printed[0] if printed else "")) as admin:
            yield StoreGateway(command, port, url, admin)


def eventually(holds: Callable[[], bool]) -> None:
    """Return once it holds; fail if it takes too long."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
