"""A gateway on one machine: the control plane, the admin API and, unless nodes run separately, Envoy.

Start: control plane listens, Envoy starts, source opens, catalogue is published, clients are served, admin
API listens, source is followed. The stop runs in reverse, so that Envoy finishes its requests while the
control plane still answers.

The start uses two processors: Envoy starts on one while the store is loaded on the other, and applies what is
published while the rest is compiled. Modules that no client needs are loaded after clients are served. See
docs/decisions/011-the-start.md; the aim, 4 s with 5,000 APIs, is in docs/explanation/performance.md.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import certifi

from crossgate.app.certificates import located_problems, served_secrets, unless_unusable
from crossgate.app.events import (
    AdminListening,
    AdminUnavailable,
    CertificateReported,
    ConsoleLinked,
    Emit,
    GatewayServing,
    NativesForbidden,
    NodeChanged,
    ServicesUnreachable,
)
from crossgate.app.first_listener import wait_for_first_listener
from crossgate.app.first_token import write_first_token
from crossgate.app.gc_tuning import gc_paused
from crossgate.app.health import Health, HealthOptions
from crossgate.app.health_state import EnvoyListens, HealthReason, NodeSettled
from crossgate.app.kept_token import KeptToken, keep_token
from crossgate.app.rollout import Rollout
from crossgate.app.sources import CatalogueSource, open_source
from crossgate.app.take_over import TakeOver
from crossgate.app.tasks import background_task, run_until_stopped
from crossgate.app.tcp_listener import ADMIN
from crossgate.app.telemetry import keep_storing
from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.access_log_file import check_access_log
from crossgate.dataplane.binary import EnvoyBinary, find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.checks import check_listen, find_unreachable
from crossgate.dataplane.lifecycle_events import LifecycleEvent
from crossgate.dataplane.listen_turn import listen_turn
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory
from crossgate.dataplane.secrets import CertificateReport, Secrets
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity
from crossgate.net.address import Address, HostPort, SocketMode, UnixSocket
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.certificates import NodeCertificates
from crossgate.service.changes import PutGateway
from crossgate.service.errors import ServiceError, StoreUnavailable
from crossgate.service.log import Log, LogLevel
from crossgate.service.ports import CatalogueStore
from crossgate.service.publisher import Publisher
from crossgate.service.stoppable import Stoppable
from crossgate.store import PostgresqlUrl, SqliteDirectory, StoreLocation
from crossgate.telemetry.certificate_reports import certificate_services
from crossgate.telemetry.collector import Collector
from crossgate.telemetry.intake import telemetry_services
from crossgate.xds.node_progress import NodeProgress
from crossgate.xds.server import ControlPlane

if TYPE_CHECKING:
    from crossgate.app.machine_check import MachineCheck
    from crossgate.app.metrics import GatewayMetrics
    from crossgate.console.oidc.options import OidcOptions

_LISTEN: Final = Place(("gateway", "listen"))
_ACCESS_LOG: Final = Place(("gateway", "access_log"))


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """Where and how the admin API listens."""

    address: HostPort
    host_names: tuple[str, ...] = ()
    required: bool = True
    """Whether the start fails if the admin API cannot listen."""
    oidc: OidcOptions | None = None
    """How people sign in to the console with their company's provider."""
    console_link: bool = False
    """Whether a link that signs in to the console is printed."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """The options of ``crossgate run`` and ``crossgate serve``."""

    source: Path | StoreLocation
    find_envoy: Callable[[], EnvoyBinary] | None = find_envoy
    """Returns Envoy's binary, or raises InvalidInput; may block. None: no Envoy is started."""
    xds: Address | None = None
    """Where nodes connect; None: a socket in the runtime directory."""
    xds_mode: SocketMode = SocketMode.OWNER
    """Who may connect, if it is a socket."""
    concurrency: int | None = None
    """Envoy's worker threads; None: one for each core."""
    admin: AdminOptions | None = None
    listen: HostPort | None = None
    """The listener's address to write to the store; None: the store's own."""
    otlp: str | None = None
    """The URL to which metrics are exported; None: as the environment says."""
    health: HealthOptions | None = None
    state: Path | None = None
    """Where a gateway with a file keeps its token; None: it has another one after each start."""
    dropped_log_lines: Callable[[], int] | None = None
    """Returns how many lines of the log were dropped."""


async def run_gateway(
    options: GatewayOptions, emit: Emit, stop: asyncio.Event, take_over: TakeOver | None = None
) -> None:
    """Start the gateway, follow its source, and end it, or hand it over, when ``stop`` is set.

    Raises:
        InvalidInput: the document has errors, a port is taken, or no Envoy binary runs here.

    """
    async with AsyncExitStack() as stack:
        if take_over is None:
            take_over = await stack.enter_async_context(TakeOver.alone(emit, stop))
        gateway = _Gateway(options, emit, take_over, stack)
        with gc_paused():
            started = await run_until_stopped(gateway.start(), stop)
        if started:
            async with background_task(gateway.check_native_services()):
                await gateway.source.follow(gateway.rollout, gateway.check, emit, stop)


class _Gateway:
    """The parts of one gateway. ``stack`` closes what it opens."""

    def __init__(
        self, options: GatewayOptions, emit: Emit, take_over: TakeOver, stack: AsyncExitStack
    ) -> None:
        self._options = options
        self._emit = emit
        self._take_over = take_over
        self._stack = stack
        self._collector: Collector
        self.source: CatalogueSource
        self.control_plane: ControlPlane
        self.rollout: Rollout
        self.check: MachineCheck
        self.metrics: GatewayMetrics | None = None
        self._envoy_version: str | None = None
        self._kept_token: KeptToken | None = None
        self.health: Health
        self._certificates = NodeCertificates()
        self._secrets: Secrets
        self._source_is_open = False

    async def start(self) -> None:
        """Return when everything runs."""
        options = self._options
        # Entered first, so that the source is closed last, whenever it is opened.
        source_stack = await self._stack.enter_async_context(AsyncExitStack())
        # Closed after Envoy's end, for its last counts.
        metrics_stack = await self._stack.enter_async_context(AsyncExitStack())
        from_file = isinstance(options.source, Path)
        if isinstance(options.source, Path):
            # Opened first, as it often fails: then Envoy is not started in vain.
            self.source = await source_stack.enter_async_context(open_source(options.source))
            if options.admin is not None and options.state is not None:
                self._kept_token = KeptToken(options.state, options.source)
        admin = self._bind_admin()
        self.health = self._take_over.health(options.health)
        directory = self._take_over.runtime_directory()
        self._collector = Collector(self._control_plane_name())
        streams = Stoppable()
        self.control_plane = ControlPlane(
            options.xds or UnixSocket(directory.control_plane_socket),
            (*telemetry_services(self._collector, streams), *certificate_services(self._certificates)),
            options.xds_mode,
            streams,
        )
        self._take_over.node = self._node_id()
        self._take_over.announce(self.control_plane.ledger)
        self._stack.push_async_callback(self.control_plane.stop)
        # Ended after Envoy, whose last report comes when it stops.
        await self._stack.enter_async_context(
            background_task(keep_storing(self._collector, lambda: self.source.store.head.catalogue))
        )
        self.control_plane.listen()
        publisher = Publisher(self.control_plane.cache, system_ca_file())
        # Publishing in batches removes from a node what is not published yet. This process's own Envoy starts
        # empty, and no other node knows the socket: so it can be answered at once. After a restart, the Envoy
        # before knows it.
        in_batches = options.find_envoy is not None and options.xds is None and self._take_over.is_first
        publish_batch = self._batch_publisher(publisher) if in_batches else None
        if publish_batch is not None:
            publish_batch(Catalogue())
            await self.control_plane.start()
        # Before Envoy: they answer while it drains. So does the control plane, for the last counts.
        self._stack.push_async_callback(self._take_over.wait_for_drains)
        await self._stack.enter_async_context(self.health.serving())
        envoy = None if options.find_envoy is None else await self._start_envoy(options.find_envoy, directory)
        if not from_file:
            self.source = await source_stack.enter_async_context(open_source(options.source, publish_batch))
        self._source_is_open = True
        turn = await self._stack.enter_async_context(AsyncExitStack())
        if envoy is not None:
            listen = options.listen or self.source.store.head.catalogue.gateway.listen
            await turn.enter_async_context(listen_turn(listen.port))
        await self._apply_listen_option()
        self.rollout = Rollout(
            self.control_plane, publisher, self.source.store, self._emit, self._certificates
        )
        await self.rollout.publish_first()
        if not in_batches:
            self.rollout.open_listener()
            await self.control_plane.start()
        if envoy is not None:
            await self._serve_clients(envoy)
        await turn.aclose()
        await self._stack.enter_async_context(background_task(self.rollout.follow_nodes()))
        self._begin_health_checks(envoy)
        head = self.source.store.head
        self._emit(GatewayServing(head.catalogue, self.control_plane.address, head.revision))
        # From now on telemetry is stored. It reads the store first, for which clients need not wait.
        self._collector.store = self.source.telemetry
        # Imported here, in a thread: only changes need it.
        await asyncio.to_thread(import_module, "crossgate.app.machine_check")
        from crossgate.app.machine_check import MachineCheck

        self.check = MachineCheck.of(envoy, system_ca_file(), admin, self.control_plane.address)
        if admin is not None:
            await self._start_admin(admin, directory)
        await self._start_metrics(metrics_stack)
        if envoy is not None:
            self._take_over.relieve(envoy)
        if admin is not None:
            await self._stack.enter_async_context(background_task(asyncio.to_thread(_warm_up_linter)))

    async def _serve_clients(self, envoy: Envoy) -> None:
        """Return when Envoy listens for clients; raises InvalidInput with the reasons if it cannot."""
        await envoy.ready()
        try:
            await self.rollout.first_node(self._node_id())
        except InvalidInput as rejected:
            # Envoy's message names a file or an address, and seldom the reason.
            from crossgate.dataplane.gateway_files import check_gateway_files

            found = check_gateway_files(self.source.store.head.catalogue.gateway)
            reasons = self.source.located(one for one in found if one.severity is Severity.ERROR)
            raise InvalidInput([*reasons, *rejected.diagnostics]) from None
        if self.source.store.head.catalogue.gateway.tls:
            # Envoy acknowledges the listener before it has the certificates.
            listens = wait_for_first_listener(envoy.admin, self._take_over.envoy_pids)
            try:
                await unless_unusable(listens, self._secrets)
            except InvalidInput as refused:
                raise InvalidInput(self.source.located(refused.diagnostics)) from None

    def _begin_health_checks(self, envoy: Envoy | None) -> None:
        """Without an Envoy of its own, a control plane is ready when nodes can be answered."""
        state = self.health.state
        if envoy is not None:
            progress = NodeProgress(self.control_plane.ledger, self._node_id())
            self._stack.callback(progress.close)
            settled = NodeSettled(progress)
            state.checks[:] = [EnvoyListens(envoy), settled]
            state.warnings.append(settled.warning)
        state.warnings.append(self._source_warning)
        self.health.set_started()

    def _source_warning(self) -> HealthReason | None:
        trouble = self.source.trouble()
        return None if trouble is None else HealthReason("source-unreadable", trouble)

    def _batch_publisher(self, publisher: Publisher) -> Callable[[Catalogue], None]:
        """A function that publishes a catalogue without the clients' listener, from one thread at a time."""
        loop = asyncio.get_running_loop()

        def publish_batch(catalogue: Catalogue) -> None:
            publisher.compile(catalogue)
            loop.call_soon_threadsafe(lambda: publisher.distribute(client_listener=False))

        return publish_batch

    async def check_native_services(self) -> None:
        """Emit the native services that break a rule or accept no connection. They stop nothing."""
        services = self.source.native_services()
        rules = self.check.rules(self.source.store.head.catalogue.gateway)
        forbidden = self.source.located(await asyncio.to_thread(rules.find, services, Severity.WARNING))
        if forbidden:
            self._emit(NativesForbidden(tuple(forbidden)))
        found = self.source.located(await find_unreachable(services, Severity.WARNING))
        if found:
            self._emit(ServicesUnreachable(tuple(found)))

    def _bind_admin(self) -> socket.socket | None:
        options = self._options.admin
        if options is None:
            return None
        try:
            bound = self._take_over.sockets.bind(options.address, ADMIN)
        except InvalidInput as refused:
            if options.required:
                raise
            self._emit(AdminUnavailable(tuple(refused.diagnostics)))
            return None
        self._stack.callback(bound.close)
        return bound

    async def _start_admin(self, bound: socket.socket, directory: RuntimeDirectory) -> None:
        # Imported here, in a thread: FastAPI takes half a second to load, for which clients need not wait.
        await asyncio.to_thread(import_module, "crossgate.app.admin_server")
        from crossgate.app.admin_server import serve_admin_api
        from crossgate.app.admin_workers import AdminWorkerPool
        from crossgate.app.own_listener import OwnListener

        source = self.source
        host_names = () if self._options.admin is None else self._options.admin.host_names
        pool = AdminWorkerPool()
        self._stack.push_async_callback(asyncio.to_thread, pool.close)
        server = serve_admin_api(
            bound,
            host_names,
            source.store,
            source.tokens,
            self.rollout,
            pool,
            check=self.check,
            telemetry=source.telemetry,
            recent=self._collector,
            sessions=source.sessions,
            oidc=None if self._options.admin is None else self._options.admin.oidc,
            sender=None if self._options.find_envoy is None else OwnListener(),
        )
        address = await self._stack.enter_async_context(server)
        # Without a directory of its own, the file is removed at the stop; so is a token that is not stored.
        store = self._options.source
        folder = store.path if isinstance(store, SqliteDirectory) else directory.path
        first_token = await asyncio.to_thread(self._write_token, folder)
        if self._options.admin is not None and self._options.admin.console_link and self._take_over.is_first:
            # Imported here: it was loaded with the console.
            from crossgate.service.sessions import link_url

            # A full disk ends no start: a link can be created later, with `crossgate console`.
            with suppress(StoreUnavailable):
                secret, _ = await asyncio.to_thread(source.sessions.create_link)
                self._emit(ConsoleLinked(link_url(f"http://{address}", secret)))
        self._emit(AdminListening(f"http://{address}", first_token))

    def _write_token(self, folder: Path) -> Path | None:
        """The file with the first token, if there is one."""
        if self._kept_token is None:
            return write_first_token(self.source.tokens, folder)
        try:
            return keep_token(self.source.tokens, self._kept_token)
        except InvalidInput as refused:
            # Clients are served by now; a read-only file system has no place for it.
            message = "The admin token is not kept: the next start has another one"
            reasons = [str(one) for one in refused.diagnostics]
            Log("gateway").log(LogLevel.WARNING, message, {"event": "token-not-kept", "reasons": reasons})
            return write_first_token(self.source.tokens, folder)

    async def _start_metrics(self, stack: AsyncExitStack) -> None:
        # Imported here, in a thread: no client waits for it.
        await asyncio.to_thread(import_module, "crossgate.app.metrics")
        from crossgate.app.metrics import GatewayMetrics, exported_metrics

        ledger, store = self.control_plane.ledger, self.source.store
        self.metrics = GatewayMetrics(
            self._collector,
            ledger,
            self.rollout,
            store,
            self._envoy_version,
            self._options.dropped_log_lines,
        )
        self.health.metrics = self.metrics.page.render
        stack.callback(self.metrics.close)
        admin, listen = self._options.admin, store.head.catalogue.gateway.listen
        instance = f"{socket.gethostname()} {admin.address if admin else listen}"
        await stack.enter_async_context(exported_metrics(self.metrics, self._options.otlp, instance))

    async def _apply_listen_option(self) -> None:
        """Write the address of ``--listen`` to the store, and refuse a start that Envoy could not make.

        That is one whose port is taken, or whose access log is a pipe: Envoy would wait for its reader.
        Or one without any certificate that it can serve.
        """
        options = self._options
        gateway = self.source.store.head.catalogue.gateway
        listen = options.listen or gateway.listen
        if options.find_envoy is not None:
            # Before it is stored: the next start would fail too.
            refusal = check_listen(listen.host, listen.port, _LISTEN, own_envoys=self._take_over.envoy_pids)
            if refusal is not None:
                raise InvalidInput([refusal] if options.listen else self.source.located([refusal]))
            if gateway.access_log is not None:
                unusable = check_access_log(gateway.access_log, _ACCESS_LOG)
                if unusable:
                    raise InvalidInput(self.source.located(unusable))
            if gateway.tls:
                # Imported here, in a thread: cryptography takes a tenth of a second to load.
                await asyncio.to_thread(import_module, "crossgate.dataplane.gateway_files")
                from crossgate.dataplane.gateway_files import find_no_certificate

                unusable = await asyncio.to_thread(find_no_certificate, gateway)
                if unusable:
                    raise InvalidInput(self.source.located(unusable))
        if options.listen is not None:
            await asyncio.to_thread(_store_listen_address, self.source.store, options.listen)

    async def _start_envoy(self, find_envoy: Callable[[], EnvoyBinary], directory: RuntimeDirectory) -> Envoy:
        binary = await asyncio.to_thread(find_envoy)
        self._envoy_version = binary.version
        document = bootstrap(
            self._node_id(), self.control_plane.address, directory.admin_socket, directory.secrets_socket
        )
        secrets = await self._stack.enter_async_context(
            served_secrets(directory.secrets_socket, self._on_certificate)
        )
        self._secrets = secrets
        self._stack.callback(secrets.watch(lambda: self._certificates.put(self._node_id(), secrets.states())))
        settings = EnvoySettings(binary, document, directory, concurrency=self._options.concurrency)
        envoy = await self._stack.enter_async_context(
            Envoy(self._take_over.settings(settings), self._on_node_change)
        )
        self._stack.callback(self._take_over.keep, envoy)
        return envoy

    def _on_node_change(self, change: LifecycleEvent) -> None:
        self._emit(NodeChanged(change, self._node_id()))
        if self.metrics is not None:
            self.metrics.on_node_change(change)

    def _on_certificate(self, report: CertificateReport) -> None:
        """Emit what there is to say about a certificate of this machine, with the places that name it."""
        found: list[Diagnostic] = []
        # A cluster may need its certificate while the rest of the store is loaded.
        if self._source_is_open:
            gateway = self.source.store.head.catalogue.gateway
            found = self.source.located(located_problems(gateway, report.state))
        self._emit(CertificateReported(report.state, report.renewed, tuple(found or report.state.problems)))

    def _control_plane_name(self) -> str:
        """The same after a restart, and unique among the control planes of one database."""
        if isinstance(self._options.source, PostgresqlUrl):
            admin = self._options.admin
            return f"{socket.gethostname()} {admin.address if admin else self._options.xds}"
        return "local"

    def _node_id(self) -> str:
        """Unique among the control planes of one database."""
        if isinstance(self._options.source, PostgresqlUrl):
            return f"{socket.gethostname()}-{os.getpid()}"
        return "local"


def system_ca_file() -> str:
    """Path of the PEM file with the certificate authorities that this machine trusts.

    Slim images have none; then it is the file of the package certifi.
    """
    return ssl.get_default_verify_paths().cafile or certifi.where()


def _warm_up_linter() -> None:
    # Imported here, because clients do not wait for the linter.
    from crossgate.app.warm_up import warm_up_linter

    warm_up_linter()


def _store_listen_address(store: CatalogueStore, listen: HostPort) -> None:
    gateway = replace(store.head.catalogue.gateway, listen=listen)
    try:
        CatalogueService(store).change([PutGateway(gateway)], author="crossgate run", message="--listen")
    except ServiceError as refused:
        raise InvalidInput(refused.diagnostics) from refused
