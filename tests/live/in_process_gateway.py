"""A gateway in the test's own process: a real Envoy under a real control plane, fed with catalogues."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager

import grpc
from tests.ports import free_ports

from crossgate.app.certificates import served_secrets
from crossgate.app.gateway import system_ca_file
from crossgate.catalogue.model import Api, ApiType, Application, Catalogue, Gateway, NativeService, Settings
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.compiler.resource import Resource
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.dataplane.secrets import CertificateReport
from crossgate.dataplane.supervisor import Timeouts
from crossgate.net.address import HostPort, UnixSocket
from crossgate.policy import CorsPolicy, SameOrigin, ServerPolicy
from crossgate.service.publisher import Publisher
from crossgate.xds.rollout_wait import RolloutResult, wait_until_decided
from crossgate.xds.server import ControlPlane

_SECONDS = 30.0


class LiveGateway:
    """One Envoy; :meth:`publish` returns when it runs the catalogue."""

    def __init__(
        self, port: int, services: Sequence[grpc.GenericRpcHandler] = (), timeouts: Timeouts | None = None
    ) -> None:
        self.port = port
        self._services = services
        self._timeouts = timeouts or Timeouts()
        self._loop = asyncio.new_event_loop()
        self._started: Future[None] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self.control_plane: ControlPlane
        self.publisher: Publisher
        self.envoy: Envoy

    def start(self) -> None:
        """Return when Envoy serves the empty catalogue."""
        self._thread.start()
        self._started.result(_SECONDS)

    def stop(self) -> None:
        """End Envoy and the control plane."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive()

    def publish(self, catalogue: Catalogue) -> RolloutResult:
        """What Envoy made of it, once it has decided."""
        return asyncio.run_coroutine_threadsafe(self._publish(catalogue), self._loop).result(_SECONDS)

    def put(self, resource: Resource) -> RolloutResult:
        """What Envoy made of one resource, whatever the catalogue says."""
        return asyncio.run_coroutine_threadsafe(self._put(resource), self._loop).result(_SECONDS)

    def stats(self, pattern: str) -> dict[str, int]:
        """Envoy's counters and gauges whose names the expression finds."""
        stats = asyncio.run_coroutine_threadsafe(self.envoy.admin.stats(pattern), self._loop)
        return stats.result(_SECONDS)

    def begin_drain(self) -> None:
        """Let Envoy stop accepting connections."""
        asyncio.run_coroutine_threadsafe(self.envoy.admin.begin_drain(), self._loop).result(_SECONDS)

    async def _put(self, resource: Resource) -> RolloutResult:
        key = (resource.type_url, resource.name)
        self.control_plane.cache.update({key: resource})
        async with asyncio.timeout(_SECONDS):
            return await wait_until_decided(self.control_plane.ledger, {key: resource.version})

    async def _publish(self, catalogue: Catalogue) -> RolloutResult:
        published = self.publisher.publish(catalogue)
        async with asyncio.timeout(_SECONDS):
            return await wait_until_decided(self.control_plane.ledger, published)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                directory = create_runtime_directory()
                stack.callback(directory.close)
                socket = directory.control_plane_socket
                self.control_plane = await stack.enter_async_context(
                    ControlPlane(UnixSocket(socket), self._services)
                )
                self.publisher = Publisher(self.control_plane.cache, system_ca_file())
                self.publisher.publish(Catalogue(Gateway(HostPort("127.0.0.1", self.port))))
                self.reports: list[CertificateReport] = []
                self.secrets = await stack.enter_async_context(
                    served_secrets(directory.secrets_socket, self.reports.append)
                )
                document = bootstrap(
                    "test", UnixSocket(socket), directory.admin_socket, directory.secrets_socket
                )
                settings = EnvoySettings(find_envoy(), document, directory, 1, self._timeouts)
                self.envoy = await stack.enter_async_context(Envoy(settings))
                await self.envoy.ready()
            except BaseException as failure:
                self._started.set_exception(failure)
                raise
            self._started.set_result(None)
            await self._stop.wait()


@contextmanager
def live_gateway(
    services: Sequence[grpc.GenericRpcHandler] = (), timeouts: Timeouts | None = None
) -> Iterator[LiveGateway]:
    """A gateway on a free port of this machine; its control plane has these gRPC services besides."""
    gateway = LiveGateway(free_ports(1)[0], services, timeouts)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def api(name: str, native_port: int, cors: CorsPolicy | None, **fields: object) -> Api:
    """An API ``name/1`` in front of a native service of this machine."""
    native = NativeService("http", "127.0.0.1", native_port)
    made = Api(name, "1", ApiType.REST, native, (f"/gateway/{name}/1",), cors)
    for field, value in fields.items():
        object.__setattr__(made, field, value)
    return made


def catalogue_of(
    port: int,
    apis: list[Api],
    *,
    applications: list[Application] | None = None,
    public_origins: tuple[str, ...] = (),
    same_origin: SameOrigin = SameOrigin.DETECT,
    server_policy: ServerPolicy | None = None,
    underscore_headers: UnderscoreHeaders = UnderscoreHeaders.REJECT,
) -> Catalogue:
    """A catalogue for a gateway on ``port``."""
    return Catalogue(
        Gateway(
            HostPort("127.0.0.1", port),
            public_origins=public_origins,
            same_origin=same_origin,
            underscore_headers=underscore_headers,
        ),
        Settings(policy=server_policy),
        apis={one.key: one for one in apis},
        applications={one.name: one for one in applications or []},
    )
