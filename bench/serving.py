"""Crossgate in this process, with an Envoy that is pinned to the measured core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from bench.machine import cores, pin

from crossgate.app.gateway import system_ca_file
from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.net.address import UnixSocket
from crossgate.service.publisher import Publisher
from crossgate.xds.rollout_wait import wait_until_decided
from crossgate.xds.server import ControlPlane

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A running gateway."""

    control_plane: ControlPlane
    publisher: Publisher
    envoy: Envoy

    @property
    def pid(self) -> int:
        """The id of Envoy's process."""
        assert self.envoy.pid is not None
        return self.envoy.pid

    async def publish(self, catalogue: Catalogue) -> None:
        """Publish the catalogue, and wait until Envoy enforces it."""
        published = self.publisher.publish(catalogue)
        async with asyncio.timeout(_SECONDS):
            rollout = await wait_until_decided(self.control_plane.ledger, published)
        assert rollout.applied, rollout.rejections


@asynccontextmanager
async def serving(
    catalogue: Catalogue, services: Sequence[grpc.GenericRpcHandler] = ()
) -> AsyncIterator[Serving]:
    """Crossgate with an Envoy of one worker, ready; ``services`` receive what Envoy reports."""
    async with AsyncExitStack() as stack:
        directory = create_runtime_directory()
        stack.callback(directory.close)
        socket = directory.control_plane_socket
        control_plane = await stack.enter_async_context(ControlPlane(UnixSocket(socket), services))
        publisher = Publisher(control_plane.cache, system_ca_file())
        publisher.publish(catalogue)
        document = bootstrap("bench", UnixSocket(socket), directory.admin_socket, directory.secrets_socket)
        envoy = await stack.enter_async_context(
            Envoy(EnvoySettings(find_envoy(), document, directory, concurrency=1))
        )
        async with asyncio.timeout(_SECONDS):
            await envoy.ready()
        started = Serving(control_plane, publisher, envoy)
        pin(started.pid, cores().measured)
        yield started
        # The measurement is over: do not wait for the drain.
        await envoy.stop(drain=False)
