"""Several nodes under one control plane that counts: real Envoys, the real collector and a real database."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL
from time import monotonic

from tests.live.in_process_gateway import api, catalogue_of
from tests.live.telemetry.load import ALLOWED_ORIGIN
from tests.ports import free_ports

from crossgate.app.gateway import system_ca_file
from crossgate.app.tasks import background_task
from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import DecisionSeries
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.lifecycle_events import EnvoyReady, LifecycleEvent
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.dataplane.supervisor import Timeouts
from crossgate.net.address import UnixSocket
from crossgate.policy import build_policy
from crossgate.service.publisher import Publisher
from crossgate.store import SqliteDirectory
from crossgate.store.open import Store, open_store
from crossgate.telemetry.collector import Collector
from crossgate.telemetry.intake import telemetry_services
from crossgate.xds.rollout_wait import wait_until_decided
from crossgate.xds.server import ControlPlane

FLUSH_SECONDS = 0.2
_SECONDS = 60.0


class Fleet:
    """All nodes listen on one port, and the kernel spreads the connections over them."""

    def __init__(self, folder: Path, native_port: int) -> None:
        [self.port] = free_ports(1)
        self.expected: Counter[DecisionSeries] = Counter()
        self.envoys: dict[str, Envoy] = {}
        self._serving: dict[str, asyncio.Queue[LifecycleEvent]] = {}
        self.catalogue = self._catalogue(native_port, [ALLOWED_ORIGIN])
        self._native_port = native_port
        self._folder = folder
        self._stack = AsyncExitStack()
        self._control_plane_stack = AsyncExitStack()
        self._store: Store
        self._control_plane: ControlPlane
        self._publisher: Publisher

    async def start_control_plane(self) -> None:
        """Start it, and publish the catalogue."""
        stack = self._control_plane_stack
        self._store = stack.enter_context(open_store(SqliteDirectory(self._folder)))
        collector = Collector("control-plane")
        collector.store = self._store.telemetry
        address = UnixSocket(self._folder / "xds.sock")
        self._control_plane = ControlPlane(address, telemetry_services(collector))
        self._publisher = Publisher(self._control_plane.cache, system_ca_file())
        self._publisher.publish(self.catalogue)
        await stack.enter_async_context(background_task(self._keep_storing(collector)))
        await stack.enter_async_context(self._control_plane)

    async def stop_control_plane(self) -> None:
        """End it without a last batch, as a kill does."""
        await self._control_plane_stack.aclose()
        self._control_plane_stack = AsyncExitStack()

    async def change_policy(self, *origins: str) -> None:
        """Allow these origins too, and return when all nodes enforce it."""
        self.catalogue = self._catalogue(self._native_port, [ALLOWED_ORIGIN, *origins])
        published = self._publisher.publish(self.catalogue)
        async with asyncio.timeout(_SECONDS):
            await wait_until_decided(self._control_plane.ledger, published)

    async def start_node(self, name: str) -> None:
        """Start an Envoy, and return when it serves."""
        directory = self._stack.enter_context(create_runtime_directory())
        document = bootstrap(
            name, UnixSocket(self._folder / "xds.sock"), directory.admin_socket, directory.secrets_socket
        )
        timeouts = Timeouts(flush=FLUSH_SECONDS)
        settings = EnvoySettings(find_envoy(), document, directory, concurrency=1, timeouts=timeouts)
        serving = self._serving[name] = asyncio.Queue()

        def on_event(event: LifecycleEvent) -> None:
            if isinstance(event, EnvoyReady):
                serving.put_nowait(event)

        self.envoys[name] = await self._stack.enter_async_context(Envoy(settings, on_event))
        await self._until_it_serves(name)

    async def restart_node(self, name: str) -> None:
        """Stop an Envoy gracefully, and start it again under the same name."""
        await self.envoys[name].stop()
        await self.start_node(name)

    async def kill_node(self, name: str) -> None:
        """Kill an Envoy, and return when its supervisor has started the next one."""
        pid = self.envoys[name].pid
        assert pid is not None
        os.kill(pid, SIGKILL)
        await self._until_it_serves(name)

    async def _until_it_serves(self, name: str) -> None:
        async with asyncio.timeout(_SECONDS):
            await self._serving[name].get()

    def counted(self) -> Counter[DecisionSeries]:
        """The decisions that are stored."""
        now = datetime.now(UTC)
        day = timedelta(days=1)
        found: Counter[DecisionSeries] = Counter()
        for (_, series), count in self._store.telemetry.decisions(now - day, now + day).items():
            found[series] += count
        return found

    async def counted_exactly(self) -> None:
        """Return when what is stored is what was sent; more is an error at once."""
        deadline = monotonic() + _SECONDS
        while (found := self.counted()) != self.expected:
            assert not found - self.expected, found - self.expected
            assert monotonic() < deadline, self.expected - found
            await asyncio.sleep(0.1)

    async def counted_at_least(self) -> None:
        """Return when what was sent is stored, perhaps with more."""
        deadline = monotonic() + _SECONDS
        while missing := self.expected - self.counted():
            assert monotonic() < deadline, missing
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        """End everything."""
        await self._stack.aclose()
        await self.stop_control_plane()

    def _catalogue(self, native_port: int, origins: list[str]) -> Catalogue:
        policy = build_policy(allowed_origins=origins, allowed_methods=["GET"])
        observing = build_policy(allowed_origins=origins, allowed_methods=["GET"], mode="observe")
        pets, looks = api("pets", native_port, policy), api("looks", native_port, observing)
        return catalogue_of(self.port, [pets, looks])

    @staticmethod
    async def _keep_storing(collector: Collector) -> None:
        while True:
            await asyncio.to_thread(collector.store_now)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def fleet(folder: Path, *names: str) -> AsyncIterator[Fleet]:
    """A control plane and nodes of these names, serving."""
    native = await asyncio.start_server(_answer, "127.0.0.1", 0)
    made = Fleet(folder, native.sockets[0].getsockname()[1])
    try:
        await made.start_control_plane()
        for name in names:
            await made.start_node(name)
        yield made
    finally:
        await made.close()
        native.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A native service with one response."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
