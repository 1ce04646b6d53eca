"""A gateway on one machine: control plane, and unless nodes join from elsewhere, Envoy.

It starts as: control plane listening, Envoy started, source opened, catalogue published, clients served,
admin API listening, source followed; and stops the other way round, so that Envoy finishes its requests while
the control plane is there. Envoy starts on one processor while the store is read on another, and takes what
is published while the rest is compiled. What serves no client is loaded when clients have all they need.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from crossgate.app.admin_listener import bind
from crossgate.app.authorities import system_authorities
from crossgate.app.events import (
    AdminListening,
    AdminUnavailable,
    Emit,
    GatewayServing,
    NodeChanged,
    ServicesUnreachable,
)
from crossgate.app.gc_tuning import gc_paused
from crossgate.app.rollout import Rollout
from crossgate.app.sources import Source, opened
from crossgate.app.tasks import run_until_stopped, running
from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.binary import EnvoyBinary, find_envoy
from crossgate.dataplane.bootstrap import NodeIdentity, bootstrap
from crossgate.dataplane.checks import check_listen, find_unreachable
from crossgate.dataplane.lifecycle_events import LifecycleEvent
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory, create_runtime_directory
from crossgate.diagnostics import InvalidInput, Place, Severity
from crossgate.net.address import Address, HostPort, UnixSocket
from crossgate.service.errors import ServiceError
from crossgate.service.ports import CatalogueStore
from crossgate.service.publisher import Publisher
from crossgate.store import PostgresqlUrl, StoreLocation
from crossgate.xds.server import ControlPlane


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """How the admin API was asked to listen."""

    address: HostPort
    host_names: tuple[str, ...] = ()
    required: bool = True
    """Whether the gateway must not run without it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How ``crossgate run`` was asked to run."""

    source: Path | StoreLocation
    envoy: Callable[[], EnvoyBinary] | None = find_envoy
    """Finds Envoy, perhaps after a while, or raises InvalidInput; None: nodes join from elsewhere."""
    xds: Address | None = None
    """Where nodes connect; None: a socket in the runtime directory."""
    concurrency: int | None = None
    admin: AdminOptions | None = None
    listen: HostPort | None = None
    """Where a store's gateway is to listen from now on; None: where it does."""


async def run_gateway(options: Options, emit: Emit, stop: asyncio.Event) -> None:
    """Start the gateway, follow its source, and end it when ``stop`` is set.

    Raises:
        InvalidInput: the document has errors, or something it asks for can't be had: the port, the binary.

    """
    async with AsyncExitStack() as stack:
        gateway = _Gateway(options, emit, stack)
        with gc_paused():
            started = await run_until_stopped(gateway.start(), stop)
        if started:
            async with running(gateway.ask_native_services()):
                await gateway.source.follow(gateway.rollout, emit, stop)


class _Gateway:
    """The parts of one gateway; what it opens, ``stack`` closes."""

    def __init__(self, options: Options, emit: Emit, stack: AsyncExitStack) -> None:
        self._options = options
        self._emit = emit
        self._stack = stack
        # What announcing needs is loaded in hundreds of steps, each of which would wait for the thread that
        # reads the store; and so would nodes, for a second.
        self._unsaid: list[LifecycleEvent] | None = []
        self.source: Source
        self.control_plane: ControlPlane
        self.rollout: Rollout

    async def start(self) -> None:
        """Return when everything runs."""
        options = self._options
        # It is open until all that needs it is closed, whenever it is opened.
        while_open = await self._stack.enter_async_context(AsyncExitStack())
        from_file = isinstance(options.source, Path)
        if from_file:
            # It often ends with errors, for which no Envoy need be started.
            self.source = await while_open.enter_async_context(opened(options.source))
        admin = self._bind_admin()
        directory = create_runtime_directory()
        self._stack.callback(directory.close)
        self.control_plane = ControlPlane(options.xds or UnixSocket(directory.control_plane_socket))
        self._stack.push_async_callback(self.control_plane.stop)
        self.control_plane.listen()
        publisher = Publisher(self.control_plane.cache, system_authorities())
        # A node from before would be told to remove what is not published yet. Ours has nothing, and nobody
        # else knows of its socket: it is answered at once, and told in batches.
        in_batches = options.envoy is not None and options.xds is None
        tell = self._teller(publisher) if in_batches else None
        if tell is not None:
            tell(Catalogue())
            await self.control_plane.start()
        self._stack.callback(self._say_what_was_heard)
        envoy = None if options.envoy is None else await self._start_envoy(options.envoy, directory)
        if not from_file:
            self.source = await while_open.enter_async_context(opened(options.source, tell))
        await self._settle_where_to_listen()
        self.rollout = Rollout(self.control_plane, publisher, self.source.store, self._emit)
        await self.rollout.publish_first()
        if not in_batches:
            self.rollout.open()
            await self.control_plane.start()
        self._say_what_was_heard()
        if envoy is not None:
            await envoy.ready()
            await self.rollout.first_node()
        await self._stack.enter_async_context(running(self.rollout.follow_nodes()))
        self._emit(GatewayServing(self.source.store.head.catalogue, self.control_plane.address))
        if admin is not None:
            await asyncio.to_thread(_load_admin)
            await self._start_admin(admin)
            await self._stack.enter_async_context(running(asyncio.to_thread(_prepare_linter)))

    def _teller(self, publisher: Publisher) -> Callable[[Catalogue], None]:
        """What publishes a catalogue but for the clients' listener, from any one thread at a time."""
        loop = asyncio.get_running_loop()

        def tell(catalogue: Catalogue) -> None:
            publisher.compile(catalogue)
            loop.call_soon_threadsafe(lambda: publisher.distribute(opened=False))

        return tell

    async def ask_native_services(self) -> None:
        """Emit those that can't be reached; that an API answers 503 for now is no reason not to serve."""
        found = self.source.located(await find_unreachable(self.source.native_services(), Severity.WARNING))
        if found:
            self._emit(ServicesUnreachable(tuple(found)))

    def _bind_admin(self) -> socket.socket | None:
        options = self._options.admin
        if options is None:
            return None
        try:
            bound = bind(options.address)
        except InvalidInput as refused:
            if options.required:
                raise
            self._emit(AdminUnavailable(tuple(refused.diagnostics)))
            return None
        self._stack.callback(bound.close)
        return bound

    async def _start_admin(self, bound: socket.socket) -> None:
        # Loaded late, see `_load_admin`.
        from crossgate.admin.app import admin_api
        from crossgate.admin.context import AdminContext
        from crossgate.app.admin_server import serving
        from crossgate.service.catalogue_service import CatalogueService

        source = self.source
        names = () if self._options.admin is None else self._options.admin.host_names
        context = AdminContext(CatalogueService(source.store, linted=True), source.tokens, self.rollout)
        address = await self._stack.enter_async_context(serving(admin_api(context, names), bound))
        first = await asyncio.to_thread(source.tokens.create_first)
        self._emit(
            AdminListening(f"http://{address}", first, kept=not isinstance(self._options.source, Path))
        )

    async def _settle_where_to_listen(self) -> None:
        """Note what the command says, and see that somebody can listen there."""
        options = self._options
        if options.listen is not None:
            await asyncio.to_thread(_put_listen, self.source.store, options.listen)
        if options.envoy is not None:
            _check_port(self.source.store.head.catalogue)

    async def _start_envoy(
        self, find_binary: Callable[[], EnvoyBinary], directory: RuntimeDirectory
    ) -> Envoy:
        binary = await asyncio.to_thread(find_binary)
        address = self.control_plane.address
        document = bootstrap(NodeIdentity(self._node_id()), address, directory.admin_socket)
        settings = EnvoySettings(binary, document, directory, concurrency=self._options.concurrency)
        envoy = Envoy(settings, self._hear)
        return await self._stack.enter_async_context(envoy)

    def _hear(self, change: LifecycleEvent) -> None:
        if self._unsaid is None:
            self._emit(NodeChanged(change))
        else:
            self._unsaid.append(change)

    def _say_what_was_heard(self) -> None:
        changes, self._unsaid = self._unsaid or (), None
        for change in changes:
            self._hear(change)

    def _node_id(self) -> str:
        """Several control planes on one database have a node of their own each."""
        if isinstance(self._options.source, PostgresqlUrl):
            return f"{socket.gethostname()}-{os.getpid()}"
        return "local"


def _load_admin() -> None:
    """Load what the API needs, beside serving: clients have no use for it."""
    from crossgate.admin import app
    from crossgate.app import admin_server

    del app, admin_server


def _prepare_linter() -> None:
    """Load what the linter needs beside serving: the first change should not wait half a second for it."""
    from crossgate.lint.check import check_subject
    from crossgate.lint.subject import Subject
    from crossgate.policy import build_policy

    # Each form of an origin has the linter load something: its rules, the grammar, the list of suffixes.
    origins = ["https://a.example", "https://*.example.com", {"regex": r"https://[a-z]+\.example\.com"}]
    # The suffixes alone are 150,000 objects: 0.05 s and more for whoever goes through them again.
    with gc_paused():
        check_subject(Subject(build_policy(allowed_origins=origins, allowed_methods=["GET"])))


def _put_listen(store: CatalogueStore, listen: HostPort) -> None:
    from crossgate.service.catalogue_service import CatalogueService
    from crossgate.service.changes import PutGateway

    gateway = replace(store.head.catalogue.gateway, listen=listen)
    try:
        CatalogueService(store).change([PutGateway(gateway)], author="crossgate run", message="--listen")
    except ServiceError as refused:
        raise InvalidInput(refused.diagnostics) from refused


def _check_port(catalogue: Catalogue) -> None:
    listen = catalogue.gateway.listen
    refusal = check_listen(listen.host, listen.port, Place(("gateway", "listen")))
    if refusal is not None:
        raise InvalidInput([refusal])
