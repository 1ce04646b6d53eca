"""A node: one supervised Envoy that takes its configuration from a control plane in another process."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

from crossgate.app.events import Emit, NodeChanged
from crossgate.app.first_listener import wait_for_first_listener
from crossgate.app.health import Health, HealthOptions
from crossgate.app.health_state import EnvoyListens
from crossgate.app.tasks import run_until_stopped
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import create_runtime_directory
from crossgate.net.address import Address


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The options of ``crossgate node``."""

    control_plane: Address
    node_id: str = ""
    """Unique among the nodes of a control plane; empty: host name and process id."""
    concurrency: int | None = None
    """Envoy's worker threads; None: one for each core."""
    health: HealthOptions | None = None


async def run_node(options: NodeOptions, emit: Emit, stop: asyncio.Event) -> None:
    """Run the node until ``stop`` is set, then let it finish its requests.

    Envoy waits for a control plane that is not there yet, and keeps serving when it goes away.

    Raises:
        InvalidInput: no Envoy binary runs here, or the runtime directory cannot be created, or the address of
            the health checks cannot be used, or Envoy rejected the first listener.

    """
    binary = find_envoy()
    health = Health(options.health, stop, emit)
    async with health.serving():
        with create_runtime_directory() as directory:
            node_id = options.node_id or f"{socket.gethostname()}-{os.getpid()}"
            document = bootstrap(node_id, options.control_plane, directory.admin_socket)
            settings = EnvoySettings(binary, document, directory, concurrency=options.concurrency)
            async with Envoy(settings, lambda change: emit(NodeChanged(change, node_id))) as envoy:
                health.state.checks.append(EnvoyListens(envoy))
                if await run_until_stopped(_serves_clients(envoy), stop):
                    health.set_started()
                await stop.wait()


async def _serves_clients(envoy: Envoy) -> None:
    await envoy.ready()
    await wait_for_first_listener(envoy.admin)
