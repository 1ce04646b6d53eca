"""Fixtures: a runtime directory, and a running Envoy."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.live.dataplane.static import static_bootstrap
from tests.ports import free_ports

from crossgate.dataplane.binary import EnvoyBinary, find_envoy
from crossgate.dataplane.lifecycle_events import LifecycleEvent
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory, create_runtime_directory
from crossgate.dataplane.supervisor import Timeouts


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def envoy_binary() -> EnvoyBinary:
    return find_envoy()


@pytest.fixture
def directory() -> Iterator[RuntimeDirectory]:
    with create_runtime_directory() as made:
        yield made


@dataclass
class Running:
    envoy: Envoy
    port: int
    events: list[LifecycleEvent]

    def seen(self, event_type: type[LifecycleEvent]) -> list[LifecycleEvent]:
        return [event for event in self.events if isinstance(event, event_type)]


@asynccontextmanager
async def running(
    envoy_binary: EnvoyBinary,
    directory: RuntimeDirectory,
    native_port: int = 9,
    timeouts: Timeouts | None = None,
    bootstrap: Callable[[Path, int, int], bytes] = static_bootstrap,
) -> AsyncIterator[Running]:
    """An Envoy with the static listener, ready."""
    [port] = free_ports(1)
    events: list[LifecycleEvent] = []
    settings = EnvoySettings(
        envoy_binary,
        bootstrap(directory.admin_socket, port, native_port),
        directory,
        concurrency=1,
        timeouts=timeouts or Timeouts(),
    )
    async with Envoy(settings, events.append) as envoy:
        await envoy.ready()
        yield Running(envoy, port, events)
