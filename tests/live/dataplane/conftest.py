"""A place for one Envoy, and a native service that answers when the test says so."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.live.dataplane.static import static_bootstrap
from tests.ports import free_ports

from crossgate.dataplane import binary, runtime_dir
from crossgate.dataplane.changes import Change
from crossgate.dataplane.patience import Patience
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def envoy_binary() -> binary.Binary:
    return binary.find()


@pytest.fixture
def directory() -> Iterator[RuntimeDirectory]:
    with runtime_dir.create() as made:
        yield made


@dataclass
class Running:
    envoy: Envoy
    port: int
    changes: list[Change]

    def seen(self, kind: type[Change]) -> list[Change]:
        return [change for change in self.changes if isinstance(change, kind)]


@asynccontextmanager
async def running(
    envoy_binary: binary.Binary,
    directory: RuntimeDirectory,
    native_port: int = 9,
    patience: Patience | None = None,
    bootstrap: Callable[[Path, int, int], bytes] = static_bootstrap,
) -> AsyncIterator[Running]:
    """An Envoy with the static listener, ready."""
    [port] = free_ports(1)
    changes: list[Change] = []
    settings = EnvoySettings(
        envoy_binary,
        bootstrap(directory.admin_socket, port, native_port),
        directory,
        concurrency=1,
        patience=patience or Patience(),
    )
    async with Envoy(settings, changes.append) as envoy:
        await envoy.ready()
        yield Running(envoy, port, changes)
