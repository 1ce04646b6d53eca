"""A gateway on one machine: control plane, and unless nodes join from elsewhere, Envoy.

It starts as: control plane listening, catalogue published, Envoy started, file followed; and stops the other
way round, so that Envoy finishes its requests while the control plane is still there.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from crossgate.bootstrap.announcements import (
    Announce,
    Enforced,
    NodeChanged,
    Pending,
    Refused,
    Rejected,
    Serving,
    Unreachable,
)
from crossgate.bootstrap.authorities import system_authorities
from crossgate.bootstrap.following import changes, signature
from crossgate.bootstrap.node import control_plane_for_envoy
from crossgate.bootstrap.stopping import unless_stopped
from crossgate.catalogue.document import Reading, load_document
from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.binary import Binary, find
from crossgate.dataplane.bootstrap import Node, bootstrap
from crossgate.dataplane.ports import check_listen
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.reach import unreachable
from crossgate.dataplane.runtime_dir import RuntimeDirectory, create
from crossgate.diagnostics import InvalidInput, Place, Severity
from crossgate.service.publish import Published, Publisher
from crossgate.xds.ledger import Rejection
from crossgate.xds.listening import Address, SocketFile
from crossgate.xds.server import ControlPlane
from crossgate.xds.settlement import settled

DECISION_SECONDS = 10.0
"""So long the nodes have to acknowledge a change before it is reported as pending."""


@dataclass(frozen=True, slots=True)
class Options:
    """How ``crossgate run`` was asked to run."""

    file: Path
    with_envoy: bool = True
    xds: Address | None = None
    """Where nodes connect; None: a socket in the runtime directory."""
    concurrency: int | None = None


async def run_gateway(options: Options, announce: Announce, stop: asyncio.Event) -> None:
    """Start the gateway, follow its file, and end it when ``stop`` is set.

    Raises:
        InvalidInput: the document has errors, or something it asks for can't be had: the port, the binary.

    """
    async with AsyncExitStack() as stack:
        gateway = _Gateway(options, announce, stack)
        if await unless_stopped(gateway.start(), stop):
            announce(Serving(gateway.catalogue, gateway.control_plane.address))
            await unless_stopped(gateway.ask_native_services(), stop)
            await gateway.follow(stop)


class _Gateway:
    """The parts of one gateway; what it opens, ``stack`` closes."""

    def __init__(self, options: Options, announce: Announce, stack: AsyncExitStack) -> None:
        self._options = options
        self._announce = announce
        self._stack = stack
        self._seen = signature(options.file)
        self._reading = load_document(options.file)
        if self._reading.catalogue is None:
            raise InvalidInput(self._reading.diagnostics)
        self.catalogue = self._reading.catalogue
        self.control_plane: ControlPlane
        self._publisher: Publisher
        self._nodes = 0
        """How many nodes are waited for: this machine's, if it is there."""

    async def start(self) -> None:
        """Return when everything runs."""
        options = self._options
        binary = find() if options.with_envoy else None
        if binary is not None:
            _check_port(self.catalogue)
        directory = create()
        self._stack.callback(directory.close)
        address = options.xds or SocketFile(directory.control_plane_socket)
        self.control_plane = await self._stack.enter_async_context(ControlPlane(address))
        self._publisher = Publisher(self.control_plane.cache, system_authorities())
        self._publisher.publish(self.catalogue)
        if binary is not None:
            await self._start_envoy(binary, directory)

    async def _start_envoy(self, binary: Binary, directory: RuntimeDirectory) -> None:
        address = control_plane_for_envoy(self.control_plane.address)
        document = bootstrap(Node("local"), address, directory.admin_socket)
        settings = EnvoySettings(binary, document, directory, concurrency=self._options.concurrency)
        envoy = Envoy(settings, lambda change: self._announce(NodeChanged(change)))
        await self._stack.enter_async_context(envoy)
        await envoy.ready()
        self._nodes = 1
        await self._settle(None)

    async def ask_native_services(self) -> None:
        """Announce those that can't be reached; that an API answers 503 for now is no reason not to serve."""
        places = [
            (Place(("apis", index, "native")), api.native)
            for index, api in enumerate(self.catalogue.apis.values())
        ]
        found = self._reading.located(await unreachable(places, Severity.WARNING))
        if found:
            self._announce(Unreachable(tuple(found)))

    async def follow(self, stop: asyncio.Event) -> None:
        """Enforce each saved change of the file, and refuse each bad one, until ``stop``."""
        async for _ in changes(self._options.file, self._seen, stop):
            began = time.perf_counter()
            reading = await asyncio.to_thread(load_document, self._options.file)
            await self._take(reading, began)

    async def _take(self, reading: Reading, began: float) -> None:
        if reading.catalogue is None:
            self._announce(Refused(reading.diagnostics))
            return
        self.catalogue = reading.catalogue
        published = self._publisher.publish(reading.catalogue)
        if not published:
            return
        if await self._settle(published):
            elapsed = (time.perf_counter() - began) * 1000
            self._announce(Enforced(len(published.versions), elapsed))

    async def _settle(self, published: Published | None) -> bool:
        """Whether every node that is there took it; what nodes reject is announced."""
        versions = published.versions if published is not None else None
        try:
            async with asyncio.timeout(DECISION_SECONDS):
                outcome = await settled(self.control_plane.ledger, versions, nodes=self._nodes)
        except TimeoutError:
            self._announce(Pending(DECISION_SECONDS))
            return False
        if outcome.rejections:
            self._announce(Rejected(tuple(map(Rejection.diagnostic, outcome.rejections))))
        return outcome.applied


def _check_port(catalogue: Catalogue) -> None:
    refusal = check_listen(catalogue.gateway.host, catalogue.gateway.port, Place(("gateway", "listen")))
    if refusal is not None:
        raise InvalidInput([refusal])
